"""Any model: where it lies, how it is loaded, how it is asked, and the backends that answer."""
