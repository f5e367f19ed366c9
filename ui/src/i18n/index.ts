import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { en } from './en';
import { pseudo } from './pseudo';

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'translation';
    resources: { translation: typeof en };
  }
}

export async function startI18n(language: string): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: 'en',
    resources: { en: { translation: en }, 'en-XA': { translation: pseudo(en) } },
    interpolation: { escapeValue: false },
  });
  document.documentElement.lang = 'en';
}
export { i18next };
