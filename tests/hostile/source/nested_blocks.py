# expect: error
# tries: more nested loops than a frame has room for
for x in ():
 for x in ():
  for x in ():
   for x in ():
    for x in ():
     for x in ():
      for x in ():
       for x in ():
        for x in ():
         for x in ():
          for x in ():
           for x in ():
            for x in ():
             for x in ():
              for x in ():
               for x in ():
                for x in ():
                 for x in ():
                  for x in ():
                   for x in ():
                    for x in ():
                     for x in ():
                      for x in ():
                       for x in ():
                        for x in ():
                         pass
