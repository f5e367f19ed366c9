import { ClipboardCopy, FileText, Hash } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { CandleNarrative, NarrativeSentence } from '@/bindings';
import { IconButton } from '@/kit/Button';
import { Chip } from '@/kit/Chip';
import { EmptyState, ErrorState, Skeleton } from '@/kit/states';
import { toast } from '@/kit/toasts';
import type { Group } from '@/lib/links';
import { useEachClose } from '@/transport/closes';
import { useCommand } from '@/transport/hooks';
import { symbolOf } from '@/transport/instruments';
import { SubjectLine } from './SubjectLine';
import { piecesOf } from './sentence';
import { useSubject } from './useSubject';

/** The newest closed candle in words. */
export function NarrativePanel({ group }: { group: Group }) {
  const { t } = useTranslation();
  const { id, timeframe, instrument } = useSubject(group);
  const query = useCommand('narrative.get', { instrument: id, timeframe }, { staleTime: 60_000 });
  useEachClose(id, timeframe, query);
  const told = query.data;
  if (query.error && !told)
    return (
      <ErrorState
        message={query.error.message}
        code={query.error.code}
        retryLabel={t('action.retry')}
        copyLabel={t('action.copyDetails')}
        onRetry={() => void query.refetch()}
      />
    );
  if (!told) return <Skeleton label={t('state.loading')} rows={8} />;
  if (told.sentences.length === 0)
    return (
      <EmptyState icon={<FileText />} title={t('narrative.empty')}>
        {t('narrative.emptyText')}
      </EmptyState>
    );
  const copy = (text: string) =>
    void navigator.clipboard?.writeText(text).then(() => toast({ tone: 'ok', title: t('narrative.copied') }));
  return (
    <div className="flex h-full flex-col">
      <SubjectLine
        symbol={instrument?.symbol ?? symbolOf(id)}
        timeframe={timeframe}
        at={told.at}
        failed={query.error?.message}
        actions={
          <span className="-mr-1.5 flex">
            <IconButton label={t('narrative.copyText')} onClick={() => copy(told.text)}>
              <ClipboardCopy />
            </IconButton>
            <IconButton label={t('narrative.copyMarkdown')} onClick={() => copy(told.markdown)}>
              <Hash />
            </IconButton>
          </span>
        }
      />
      <Story key={told.at} told={told} />
    </div>
  );
}

function Story({ told }: { told: CandleNarrative }) {
  const { t } = useTranslation();
  const [shown, setShown] = useState<NarrativeSentence | null>(null);
  const sections = [...new Set(told.sentences.map((sentence) => sentence.section))];
  const headline = told.sentences.filter((sentence) => sentence.section === 'headline');
  const show = { shown, onShow: setShown };
  return (
    <div className="@container min-h-0 flex-1">
      <div className="flex h-full flex-col @3xl:flex-row">
        <div className="min-h-0 min-w-0 flex-1 overflow-auto">
          <div className="px-2.5 pt-2 pb-1.5 text-md font-semibold leading-[19px]">
            {headline.map((sentence) => (
              <Sentence key={sentence.text} sentence={sentence} {...show} />
            ))}
          </div>
          <dl className="grid grid-cols-[auto_1fr] gap-x-3 gap-y-1.5 px-2.5 pb-2 leading-[18px]">
            {sections
              .filter((section) => section !== 'headline')
              .map((section) => (
                <div key={section} className="contents">
                  <dt className="max-w-24 pt-px text-xs text-t3">{t(`narrative.section.${section}`)}</dt>
                  <dd className="text-t2">
                    {told.sentences
                      .filter((sentence) => sentence.section === section)
                      .map((sentence) => (
                        <Sentence key={sentence.text} sentence={sentence} {...show} />
                      ))}
                  </dd>
                </div>
              ))}
          </dl>
          <div className="flex flex-wrap gap-1 px-2.5 pb-2">
            {told.keywords.map((word) => (
              <Chip key={word}>{word}</Chip>
            ))}
          </div>
          <p className="px-2.5 pb-2 text-xs text-t3">{told.note}</p>
        </div>
        <section
          aria-label={t('narrative.fields')}
          aria-live="polite"
          tabIndex={0}
          className="h-[106px] shrink-0 overflow-auto border-t border-line bg-bg2 px-2.5 py-1.5 @3xl:h-auto @3xl:w-80 @3xl:border-t-0 @3xl:border-l"
        >
          {shown ? (
            shown.fields.length ? (
              <dl className="grid grid-cols-[1fr_auto] gap-x-3 font-mono text-xs leading-[17px] selectable">
                {shown.fields.map((field, i) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: a field may be named twice in one sentence
                  <div key={i} className="contents">
                    <dt className="truncate text-t2" title={field.path}>
                      {field.path}
                    </dt>
                    <dd className="num">{String(field.value)}</dd>
                  </div>
                ))}
              </dl>
            ) : (
              <p className="text-t3">{t('narrative.noFields')}</p>
            )
          ) : (
            <p className="text-t3">{t('narrative.hint')}</p>
          )}
        </section>
      </div>
    </div>
  );
}

/** A sentence that shows what it came from when it is pointed at or reached by Tab; its values stand out. */
function Sentence({
  sentence,
  shown,
  onShow,
}: {
  sentence: NarrativeSentence;
  shown: NarrativeSentence | null;
  onShow: (sentence: NarrativeSentence) => void;
}) {
  const pieces = piecesOf(
    sentence.text,
    sentence.fields.map((field) => field.printed),
  );
  return (
    <>
      {/* Not a button: its text has to flow with the sentences around it. */}
      <span
        role="button"
        tabIndex={0}
        aria-pressed={shown === sentence}
        onMouseEnter={() => onShow(sentence)}
        onFocus={() => onShow(sentence)}
        className="rounded-sm py-1 leading-6 selectable aria-pressed:bg-select"
      >
        {pieces.map((piece, i) =>
          piece.field === null ? (
            piece.text
          ) : (
            // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of a sentence keep their order
            <span key={i} className="font-medium text-t1">
              {piece.text}
            </span>
          ),
        )}
      </span>{' '}
    </>
  );
}
