// What the reader chose, set before anything is painted: the theme, and whether the page is for a projector.
{
  const page = document.documentElement.dataset;
  try {
    const theme = localStorage.getItem("layerscope-theme");
    if (/^(light|dark)$/.test(theme)) page.theme = theme;
  } catch { /* no storage: the browser's own theme */ }
  if (/[?&#]present(?=[=&#]|$)/.test(location.search + location.hash)) page.present = "";
}
