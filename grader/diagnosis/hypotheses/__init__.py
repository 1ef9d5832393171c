"""Hypotheses: functions of a ``Case`` that yield a ``Finding`` for each way in which they explain the answer."""
