// The theme that was chosen is set before anything is drawn, so this is no
// module: those run late.
(() => {
  const chosen = localStorage.getItem('bellwether-theme');
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
})();
