"""Charts as inline SVG: no script, no font, no file; colours and sizes come from the page's stylesheet."""
