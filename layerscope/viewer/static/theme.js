// The theme that the reader chose, set before anything is painted. Without a choice the browser's own holds.
try {
  const theme = localStorage.getItem("layerscope-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch { /* no storage: the browser's own theme */ }
