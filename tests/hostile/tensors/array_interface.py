# expect: wrong error crashed time_limit
# tries: objects that become arrays when asked: by lies about their memory, by code that never returns
class Interface:
    __array_interface__ = {"shape": (32, 27), "typestr": "<f4", "data": (0xDEAD0000, False), "version": 3}


class Array:
    def __array__(self, *arguments, **named):
        while True:
            pass

    __array_struct__ = __dlpack__ = __torch_function__ = __float__ = __index__ = __array__


dlogprobs, dprobs = Interface(), Array()
cmp("counts", Interface(), counts)
cmp("h", Array(), h)
