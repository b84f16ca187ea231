"""What MLflow shows of a trace as a whole: its TraceInfo and TraceData."""
