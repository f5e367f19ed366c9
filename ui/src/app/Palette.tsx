export const Palette = (_: { initial: string }) => null;
