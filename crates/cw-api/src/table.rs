//! Results as tables: for the terminal, the console, CSV and Markdown.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// Rows under named columns. A cell that has no value is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Option<String>>>,
}

/// A result taken apart: its single facts, then each of its lists.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sections {
    /// Name and value of the facts that are not lists.
    pub facts: Table,
    /// Lists by name.
    pub lists: Vec<(String, Table)>,
    /// Which of the lists the command is about; `None` when it is about the facts.
    pub main: Option<usize>,
}

impl Sections {
    /// Takes a result apart. Its schema tells the order of columns and what the command is about: the list that stands
    /// first, or the one marked `x-rows`.
    pub fn of(value: &Value, schema: &Value) -> Self {
        let empty = Map::new();
        let object = value.as_object().unwrap_or(&empty);
        if let (Some(columns), Some(rows)) = (object.get("columns"), object.get("rows"))
            && let Some(table) = matrix(columns, rows)
        {
            return Self { facts: Table::default(), lists: vec![("rows".to_owned(), table)], main: Some(0) };
        }
        let mut sections = Self::default();
        sections.facts.columns = vec!["name".to_owned(), "value".to_owned()];
        let properties = schema["properties"].as_object();
        let about = properties.and_then(|p| {
            p.iter().find(|(_, s)| s["x-rows"] == true).or_else(|| p.iter().next().filter(|(_, s)| is_list(s)))
        });
        for (name, item) in object {
            let item_schema = &schema["properties"][name]["items"]["properties"];
            match item {
                Value::Array(items) if items.is_empty() || items.iter().all(Value::is_object) => {
                    if about.is_some_and(|(main, _)| main == name) {
                        sections.main = Some(sections.lists.len());
                    } else if items.is_empty() {
                        continue;
                    }
                    sections.lists.push((name.clone(), rows(items, item_schema.as_object())));
                }
                Value::Object(map) => {
                    for (key, inner) in map {
                        sections.facts.rows.push(vec![Some(format!("{name}.{key}")), cell(inner)]);
                    }
                }
                other => sections.facts.rows.push(vec![Some(name.clone()), cell(other)]),
            }
        }
        sections
    }

    /// The one table that filters and CSV work on.
    pub fn main_table(self) -> Table {
        match self.main {
            Some(index) => self.lists.into_iter().nth(index).map(|(_, table)| table).unwrap_or_default(),
            None => self.facts,
        }
    }
}

fn is_list(schema: &Value) -> bool {
    schema["type"] == "array"
}

fn matrix(columns: &Value, rows: &Value) -> Option<Table> {
    let columns = columns.as_array()?.iter().map(|c| c.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()?;
    let row = |row: &Value| Some(row.as_array()?.iter().map(cell).collect::<Vec<_>>());
    Some(Table { rows: rows.as_array()?.iter().map(row).collect::<Option<Vec<_>>>()?, columns })
}

fn rows(items: &[Value], properties: Option<&Map<String, Value>>) -> Table {
    let mut columns: Vec<String> = properties.map(|p| p.keys().cloned().collect()).unwrap_or_default();
    for key in items.iter().filter_map(Value::as_object).flat_map(Map::keys) {
        if !columns.contains(key) {
            columns.push(key.clone());
        }
    }
    let row = |item: &Value| columns.iter().map(|column| cell(&item[column.as_str()])).collect();
    Table { rows: items.iter().map(row).collect(), columns }
}

fn cell(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            let parts: Vec<String> = items.iter().filter_map(cell).collect();
            Some(parts.join(" "))
        }
        other => Some(other.to_string()),
    }
}

impl Table {
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    /// Leaves out columns in which no row has a value.
    #[must_use]
    pub fn without_empty_columns(self) -> Self {
        if self.rows.is_empty() {
            return self;
        }
        let keep: Vec<usize> = (0..self.columns.len())
            .filter(|c| {
                self.rows
                    .iter()
                    .any(|row| row.get(*c).is_some_and(|cell| cell.as_deref().is_some_and(|t| !t.is_empty())))
            })
            .collect();
        self.select(&keep)
    }

    /// These columns, in this order.
    #[must_use]
    pub fn select(self, keep: &[usize]) -> Self {
        let pick = |row: Vec<Option<String>>| keep.iter().map(|c| row.get(*c).cloned().flatten()).collect();
        Self {
            columns: keep.iter().map(|c| self.columns[*c].clone()).collect(),
            rows: self.rows.into_iter().map(pick).collect(),
        }
    }

    /// Comma-separated with a header, quoted where needed (RFC 4180), lines ended by a line feed.
    pub fn to_csv(&self) -> String {
        let mut text = String::new();
        let header: Vec<Option<String>> = self.columns.iter().cloned().map(Some).collect();
        for row in std::iter::once(&header).chain(&self.rows) {
            for (index, cell) in row.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                let cell = cell.as_deref().unwrap_or_default();
                if cell.contains([',', '"', '\n', '\r']) {
                    write!(text, "\"{}\"", cell.replace('"', "\"\"")).expect("writing to a String cannot fail");
                } else {
                    text.push_str(cell);
                }
            }
            text.push('\n');
        }
        text
    }

    pub fn to_markdown(&self) -> String {
        let line = |cells: &[Option<String>]| {
            let cells: Vec<String> =
                cells.iter().map(|c| c.as_deref().unwrap_or_default().replace('|', "\\|").replace('\n', " ")).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let header: Vec<Option<String>> = self.columns.iter().cloned().map(Some).collect();
        let mut text = line(&header);
        writeln!(text, "|{}", "---|".repeat(self.columns.len())).expect("writing to a String cannot fail");
        for row in &self.rows {
            text.push_str(&line(row));
        }
        text
    }

    /// Columns aligned with spaces, numbers to the right, cells cut at 48 characters.
    pub fn to_text(&self) -> String {
        const WIDEST: usize = 48;
        let shown = |cell: &Option<String>| {
            let text = cell.as_deref().unwrap_or_default().replace('\n', " ");
            if text.chars().count() <= WIDEST {
                return text;
            }
            let kept: String = text.chars().take(WIDEST - 1).collect();
            format!("{kept}…")
        };
        let rows: Vec<Vec<String>> = self.rows.iter().map(|row| row.iter().map(shown).collect()).collect();
        let width = |c: usize| {
            let cells = rows.iter().filter_map(|row| row.get(c)).map(|cell| cell.chars().count());
            cells.max().unwrap_or(0).max(self.columns[c].chars().count())
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let number = |c: usize| {
            let mut cells = self.rows.iter().filter_map(|row| row.get(c)?.as_deref()).peekable();
            cells.peek().is_some() && cells.all(|cell| cell.parse::<f64>().is_ok())
        };
        let right: Vec<bool> = (0..self.columns.len()).map(number).collect();
        let mut text = String::new();
        for row in std::iter::once(&self.columns).chain(&rows) {
            let mut line = String::new();
            for (c, cell) in row.iter().enumerate().take(widths.len()) {
                let pad = " ".repeat(widths[c] - cell.chars().count());
                let gap = if c == 0 { "" } else { "  " };
                if right[c] {
                    write!(line, "{gap}{pad}{cell}").expect("writing to a String cannot fail");
                } else {
                    write!(line, "{gap}{cell}{pad}").expect("writing to a String cannot fail");
                }
            }
            writeln!(text, "{}", line.trim_end()).expect("writing to a String cannot fail");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_becomes_rows_in_the_schemas_order() {
        let schema = crate::find("fills.list").unwrap().response_schema();
        let value = json!({"fills": [{"price": "101.5", "id": "f1", "qty": "2"}]});
        let table = Sections::of(&value, &schema).main_table().without_empty_columns();
        assert_eq!(table.columns, ["id", "qty", "price"]);
        assert_eq!(table.to_csv(), "id,qty,price\nf1,2,101.5\n");
    }

    #[test]
    fn a_result_without_rows_is_facts_and_lists() {
        let schema = crate::find("data.import").unwrap().response_schema();
        let value = json!({"accepted": 3, "rejected": [{"line": 7, "reason": "high below low"}], "gaps": []});
        let sections = Sections::of(&value, &schema);
        assert_eq!(sections.facts.rows, [[Some("accepted".to_owned()), Some("3".to_owned())]]);
        assert_eq!(sections.lists.len(), 1);
        assert_eq!(sections.main, None);
    }

    #[test]
    fn indicator_columns_stay() {
        let value = json!({"columns": ["open_time", "ema(2)"], "rows": [["2024-01-01T00:00:00Z", null], ["x", "1.5"]]});
        let table = Sections::of(&value, &Value::Null).main_table();
        assert_eq!(table.to_csv(), "open_time,ema(2)\n2024-01-01T00:00:00Z,\nx,1.5\n");
    }

    #[test]
    fn cells_are_quoted_and_aligned() {
        let table = Table {
            columns: vec!["name".into(), "qty".into()],
            rows: vec![vec![Some("a,\"b\"".into()), Some("10".into())], vec![Some("c".into()), None]],
        };
        assert_eq!(table.to_csv(), "name,qty\n\"a,\"\"b\"\"\",10\nc,\n");
        assert_eq!(table.to_text(), "name   qty\na,\"b\"   10\nc\n");
        assert_eq!(table.to_markdown(), "| name | qty |\n|---|---|\n| a,\"b\" | 10 |\n| c |  |\n");
    }
}
