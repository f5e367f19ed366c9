export const HaltOptions = () => null;
export const Resume = () => null;
