import { type KeyboardEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Field, Input, NumberInput } from '@/kit/Field';
import type { IndicatorInfo } from '@/transport/types';
import { badParam, type IndicatorStudy, writeStudy } from '../study';

type Param = IndicatorInfo['params'][number];

/** One step up or down, ten with Shift, inside the range. */
export function stepped(text: string, param: Param, by: number): string {
  const step = param.integer ? 1 : 0.1;
  const value = Number.isFinite(Number(text)) ? Number(text) : param.default;
  const next = Math.min(
    param.max ?? Number.POSITIVE_INFINITY,
    Math.max(param.min ?? Number.NEGATIVE_INFINITY, value + by * step),
  );
  return String(Number(next.toFixed(6)));
}

/** The parameters of an indicator. What may be computed is drawn as it is typed; the rest is said in place. */
export function ParamForm({ study, onChange }: { study: IndicatorStudy; onChange: (text: string) => void }) {
  const { t } = useTranslation();
  const { info } = study;
  const [typed, setTyped] = useState<Record<string, string>>({});
  const [series, setSeries] = useState(study.series ?? '');
  const change = (index: number, text: string) => {
    const param = info.params[index];
    if (!param) return;
    setTyped({ ...typed, [param.name]: text });
    if (badParam(text, param) === null)
      onChange(
        writeStudy({ ...study, values: study.values.map((value, i) => (i === index ? String(Number(text)) : value)) }),
      );
  };
  if (info.params.length === 0 && !info.takes_series) return null;
  return (
    <div className="grid grid-cols-2 gap-x-3 gap-y-2">
      {info.params.map((param, index) => {
        const value = study.values[index] ?? '';
        // What was typed stands as long as it means what is drawn, or is not yet a number that may be drawn.
        const own = typed[param.name];
        const text =
          own !== undefined && (badParam(own, param) !== null || Number(own) === Number(value)) ? own : value;
        const bad = badParam(text, param);
        const onKeyDown = (event: KeyboardEvent) => {
          const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
          if (!by) return;
          event.preventDefault();
          change(index, stepped(text, param, event.shiftKey ? by * 10 : by));
        };
        return (
          <Field
            key={param.name}
            label={param.name}
            hint={`${param.min}–${param.max}`}
            error={bad ? t(`picker.bad.${bad}`, { min: param.min, max: param.max }) : undefined}
          >
            {(props) => (
              <NumberInput
                {...props}
                data-param={param.name}
                value={text}
                onChange={(event) => change(index, event.target.value)}
                onKeyDown={onKeyDown}
              />
            )}
          </Field>
        );
      })}
      {info.takes_series ? (
        <Field label={t('picker.series')} hint={t('picker.seriesHint')}>
          {(props) => (
            <Input
              {...props}
              className="font-mono"
              placeholder="close"
              value={series}
              onChange={(event) => {
                setSeries(event.target.value);
                onChange(writeStudy({ ...study, series: event.target.value.trim() || null }));
              }}
            />
          )}
        </Field>
      ) : null}
    </div>
  );
}
