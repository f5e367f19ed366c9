export const Shortcuts = () => null;
