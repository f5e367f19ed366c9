import { Field, NumberInput, Select } from './Field';

export interface ParamSpec {
  name: string;
  default: string;
  description?: string | undefined;
  min?: string | undefined;
  max?: string | undefined;
}

/** One parameter with what it means under it: yes or no as a choice, everything else as text. */
export function ParamField({
  param,
  value,
  onChange,
}: {
  param: ParamSpec;
  value: string;
  onChange: (value: string) => void;
}) {
  const flag = param.default === 'true' || param.default === 'false';
  const range = param.min !== undefined && param.max !== undefined ? `${param.min}–${param.max}` : undefined;
  return (
    <div className="flex min-w-0 flex-col gap-0.5">
      <Field label={param.name} hint={range}>
        {(props) =>
          flag ? (
            <Select {...props} value={value} onChange={(event) => onChange(event.target.value)}>
              <option>false</option>
              <option>true</option>
            </Select>
          ) : (
            <NumberInput {...props} value={value} onChange={(event) => onChange(event.target.value)} />
          )
        }
      </Field>
      {param.description ? (
        <p className="truncate text-2xs text-t3" title={param.description}>
          {param.description}
        </p>
      ) : null}
    </div>
  );
}
