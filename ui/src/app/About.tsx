export const About = () => null;
