import { useTranslation } from 'react-i18next';

/** The name of a group of indicators; the engine may know groups that this page does not. */
export function useGroupName(): (name: string) => string {
  const { t, i18n } = useTranslation();
  return (name) =>
    i18n.exists(`picker.groups.${name}`)
      ? t(`picker.groups.${name}` as 'picker.groups.overlap')
      : name.charAt(0).toUpperCase() + name.slice(1);
}
