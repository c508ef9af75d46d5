// Single-letter shortcuts: not while typing, not in a dialog, and not for those who switched them
// off (people who speak to their computers hit them by accident).

export function listenForKeys(enabled, actions) {
  document.addEventListener('keydown', (event) => {
    const action = actions[event.key];
    if (!action || !enabled() || event.ctrlKey || event.metaKey || event.altKey || event.repeat)
      return;
    if (event.target.closest('input:not([type=checkbox]), select, dialog')) return;
    event.preventDefault();
    action();
  });
}
