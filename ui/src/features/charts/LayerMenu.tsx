import { Layers2 } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button, IconButton } from '@/kit/Button';
import { Input } from '@/kit/Field';
import { Popover } from '@/kit/Popover';
import { Segments } from '@/kit/Segments';
import { Toggle } from '@/kit/Toggle';
import { useCommand } from '@/transport/hooks';
import { type Layers, SIDES } from './layers';

const SWITCHES = ['levels', 'shapes', 'regime', 'news', 'patterns'] as const;

/** Which parts of the analysis are drawn, and which candlestick patterns. */
export function LayerMenu({ layers, onChange }: { layers: Layers; onChange: (layers: Layers) => void }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const set = (change: Partial<Layers>) => onChange({ ...layers, ...change });
  const on = SWITCHES.some((name) => layers[name]);
  return (
    <Popover
      label={t('layers.title')}
      open={open}
      onOpenChange={setOpen}
      className="flex max-h-[64vh] w-72 flex-col gap-2 p-2.5!"
      trigger={
        <IconButton label={t('layers.title')} aria-pressed={on}>
          <Layers2 />
        </IconButton>
      }
    >
      {SWITCHES.map((name) => (
        <Toggle
          key={name}
          label={t(`layers.${name}`)}
          checked={layers[name]}
          onChange={(checked) => set({ [name]: checked })}
        />
      ))}
      {layers.patterns && open ? <PatternFilter layers={layers} set={set} /> : null}
    </Popover>
  );
}

function PatternFilter({ layers, set }: { layers: Layers; set: (change: Partial<Layers>) => void }) {
  const { t } = useTranslation();
  const known = useCommand('patterns.list', {}, { staleTime: Number.POSITIVE_INFINITY }).data?.patterns ?? [];
  const [words, setWords] = useState('');
  const shown = known.filter((info) => `${info.title} ${info.ta_lib}`.toLowerCase().includes(words.toLowerCase()));
  return (
    <>
      <Segments
        label={t('layers.sides')}
        value={layers.side}
        options={SIDES.map((value) => ({ value, label: t(`layers.sideName.${value}`) }))}
        onChange={(side) => set({ side })}
      />
      <Segments
        label={t('layers.strength')}
        value={String(layers.strength) as '100' | '200'}
        options={(['100', '200'] as const).map((value) => ({ value, label: t(`layers.strengthName.${value}`) }))}
        onChange={(strength) => set({ strength: strength === '200' ? 200 : 100 })}
      />
      <div className="flex gap-1.5">
        <Input
          aria-label={t('layers.find')}
          placeholder={t('layers.find')}
          value={words}
          onChange={(event) => setWords(event.target.value)}
        />
        <Button
          size="sm"
          className="h-7!"
          onClick={() => set({ without: layers.without.length ? [] : known.map((info) => info.name) })}
        >
          {t(layers.without.length ? 'layers.allOn' : 'layers.allOff')}
        </Button>
      </div>
      <ul className="min-h-0 flex-1 overflow-auto">
        {shown.map((info) => (
          <li key={info.name}>
            <label className="flex h-6 items-center gap-2 rounded-sm px-1 hover:bg-bg3" title={info.doc}>
              <input
                type="checkbox"
                checked={!layers.without.includes(info.name)}
                onChange={(event) =>
                  set({
                    without: event.target.checked
                      ? layers.without.filter((name) => name !== info.name)
                      : [...layers.without, info.name],
                  })
                }
              />
              <span className="min-w-0 flex-1 truncate">{info.title}</span>
              <span className="font-mono text-2xs text-t3">{info.candles}</span>
            </label>
          </li>
        ))}
      </ul>
    </>
  );
}
