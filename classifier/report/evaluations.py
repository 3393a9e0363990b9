"""Evaluation reports as a self-contained HTML page."""
def evaluation_page() -> str:
    """Stub."""
    return ""
