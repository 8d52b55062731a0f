// What the reader chose, set before anything is painted: the theme, and whether the page is for a projector.
try {
  const theme = localStorage.getItem("layerscope-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch { /* no storage: the browser's own theme */ }
if (/[?&#]present(?=[=&#]|$)/.test(location.search + location.hash)) document.documentElement.dataset.present = "";
