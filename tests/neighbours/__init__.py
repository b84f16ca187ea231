"""Other instrumentations beside ours."""
