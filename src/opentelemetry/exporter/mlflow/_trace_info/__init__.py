"""What MLflow shows of a trace as a whole, whichever way it is sent.

MLflow calls the summary of a trace TraceInfo (name, previews, state, session, user,
tokens, cost) and its spans TraceData.
"""
