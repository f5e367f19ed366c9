//! What docs/strategy-language.md shows is what the language does.

use std::collections::BTreeMap;

use cw_analysis::{Expression, Strategy, complete, indicators};

const DOC: &str = include_str!("../../../docs/strategy-language.md");
const INDICATORS: &str = include_str!("../../../docs/indicators.md");

/// The fenced blocks of a kind.
fn blocks(kind: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = DOC.lines();
    while let Some(line) = lines.next() {
        if let Some(found) = line.strip_prefix("```") {
            let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            if found == kind {
                blocks.push(body.join("\n"));
            }
        }
    }
    blocks
}

#[test]
fn expressions_are_valid() {
    let blocks = blocks("expr");
    assert!(blocks.len() >= 7, "{}", blocks.len());
    for expression in blocks.iter().flat_map(|block| block.lines()) {
        if let Err(error) = Expression::parse(expression) {
            panic!("{}", error.render(expression));
        }
    }
}

#[test]
fn errors_are_these() {
    let blocks = blocks("error");
    assert!(blocks.len() >= 3);
    for block in blocks {
        let text = block.lines().next().unwrap();
        assert_eq!(Expression::parse(text).unwrap_err().render(text), block);
    }
}

#[test]
fn strategy_files_compile() {
    let blocks = blocks("toml");
    assert!(!blocks.is_empty());
    for block in blocks {
        if let Err(error) = Strategy::from_toml(&block, &BTreeMap::new()) {
            panic!("{error}\n{}", error.excerpt);
        }
    }
    for shipped in Strategy::shipped() {
        assert!(DOC.contains(&format!("`{}`", shipped.name)));
    }
}

/// Every function is listed with the signature that completion shows, every indicator on its own page.
#[test]
fn the_tables_are_complete() {
    let items = complete("", 0).items;
    let mut listed = 0;
    for item in items.iter().filter(|item| item.insert.ends_with('(')) {
        let (signature, meaning) = item.detail.split_once(": ").unwrap();
        if item.label == "chart_pattern" {
            continue;
        }
        if indicators::find(&item.label).is_some() {
            assert!(INDICATORS.contains(&format!("\n`{signature}`\n")), "run codegen: {signature}");
        } else {
            assert!(DOC.contains(&format!("| `{signature}` | {meaning} |")), "missing: | `{signature}` | {meaning} |");
        }
        listed += 1;
    }
    assert!(listed > indicators::all().len());
    // What reads the market's structure has its own table; outputs and pattern names are in the text.
    for name in ["support", "resistance", "support_line", "swing_low", "regime", "trend_strength", "chart_pattern"] {
        let items = complete(name, name.len()).items;
        let (signature, meaning) = items[0].detail.split_once(": ").unwrap();
        assert!(DOC.contains(&format!("| `{signature}` | {meaning} |")), "missing: | `{signature}` | {meaning} |");
        let dotted = format!("{name}.");
        let outputs = complete(&dotted, dotted.len()).items;
        assert!(!outputs.is_empty() && outputs.iter().all(|output| DOC.contains(&format!("`{}`", output.label))));
    }
    let names = complete("chart_pattern(", 14).items;
    assert!(names.len() == 21 && names.iter().all(|name| DOC.contains(&format!("`{}`", name.label))));
}
