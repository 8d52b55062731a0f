"""What operations are in ONNX, by kind; the table of them all is `graph/onnx_forms.py`."""
