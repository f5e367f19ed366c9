import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { ErrorState, Skeleton } from '@/kit/states';

interface Question<T> {
  data: T | undefined;
  error: { message: string; code: string } | null;
  refetch: () => unknown;
}

/** What a question to the engine looks like until it is answered: bars, or why not and a way on. An answer stays. */
export function Answered<T>({
  query,
  rows,
  children,
}: {
  query: Question<T>;
  /** Bars while it loads. */
  rows?: number;
  children: (data: T) => ReactNode;
}) {
  const { t } = useTranslation();
  const { data, error } = query;
  if (data !== undefined) return children(data);
  if (!error) return <Skeleton label={t('state.loading')} {...(rows ? { rows } : {})} />;
  return (
    <ErrorState
      message={error.message}
      code={error.code}
      retryLabel={t('action.retry')}
      copyLabel={t('action.copyDetails')}
      onRetry={() => void query.refetch()}
    />
  );
}
