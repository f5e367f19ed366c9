import { ArrowDown, ArrowUp, Eye, EyeOff, Trash2 } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { IconButton } from '@/kit/Button';
import { Segments } from '@/kit/Segments';
import { Swatches } from '@/kit/Swatches';
import { complaintOf, useExpressionCheck } from '@/transport/expressions';
import type { IndicatorInfo } from '@/transport/types';
import { colorsOf, isOverlay } from '../studies';
import { COLORS, indicatorStudy, type Study, studyTitle } from '../study';
import { ExpressionForm } from './ExpressionForm';
import { Definition } from './IndicatorDetail';
import { ParamForm } from './ParamForm';
import type { StudyActions } from './useStudies';

/** A study on the chart: its parameters, which act as they are typed, its colour and place. */
export function StudyDetail({
  index,
  studies,
  known,
  actions,
  onRemoved,
}: {
  index: number;
  studies: Study[];
  known: readonly IndicatorInfo[];
  actions: StudyActions;
  onRemoved: () => void;
}) {
  const { t } = useTranslation();
  const study = studies[index];
  const verdict = useExpressionCheck(study?.text ?? '');
  if (!study) return null;
  const parsed = indicatorStudy(study.text, known);
  const complaint = parsed ? complaintOf(verdict, study.text) : null;
  const change = (next: Partial<Study>) => actions.change(index, next);
  const name = studyTitle(study.text);
  return (
    <div className="flex h-full flex-col gap-3 overflow-auto p-3">
      <div className="flex items-start gap-1">
        <div className="min-w-0 flex-1">
          <h3 className="truncate text-md font-semibold">{parsed?.info.title ?? t('picker.expression')}</h3>
          <p className="truncate font-mono text-xs text-t2">{study.text}</p>
        </div>
        <IconButton label={t('picker.up', { name })} disabled={index === 0} onClick={() => actions.move(index, -1)}>
          <ArrowUp />
        </IconButton>
        <IconButton
          label={t('picker.down', { name })}
          disabled={index === studies.length - 1}
          onClick={() => actions.move(index, 1)}
        >
          <ArrowDown />
        </IconButton>
        <IconButton
          label={t(study.hidden ? 'chart.showStudy' : 'chart.hideStudy', { name })}
          onClick={() => change({ hidden: !study.hidden })}
        >
          {study.hidden ? <EyeOff /> : <Eye />}
        </IconButton>
        <IconButton
          label={t('chart.removeIndicator', { name })}
          onClick={() => {
            actions.remove(index);
            onRemoved();
          }}
        >
          <Trash2 />
        </IconButton>
      </div>
      {parsed ? (
        <ParamForm study={parsed} onChange={(text) => change({ text })} />
      ) : (
        <ExpressionForm text={study.text} onChange={(text) => change({ text })} />
      )}
      {complaint ? (
        <p role="alert" className="text-xs text-crit">
          {complaint.message}
          {complaint.hint ? ` (${complaint.hint})` : ''}
        </p>
      ) : null}
      <div className="flex flex-wrap items-end gap-x-5 gap-y-3">
        <Swatches
          label={t('picker.color')}
          value={colorsOf(studies)[index] ?? 'accent'}
          options={COLORS.map((value) => ({ value, label: t(`picker.colors.${value}`) }))}
          onChange={(color) => change({ color })}
        />
        <div className="flex w-44 flex-col gap-1">
          <span className="text-xs text-t2">{t('picker.place')}</span>
          <Segments
            label={t('picker.place')}
            value={isOverlay(study, known) ? 'price' : 'own'}
            options={[
              { value: 'price', label: t('picker.onPrice') },
              { value: 'own', label: t('picker.ownPane') },
            ]}
            onChange={(place) => change({ place })}
          />
        </div>
      </div>
      {parsed ? <Definition info={parsed.info} /> : null}
    </div>
  );
}
