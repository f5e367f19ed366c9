export const Explain = (_: { id: string; title: string }) => null;
