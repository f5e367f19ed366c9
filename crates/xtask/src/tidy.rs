//! Rules that no compiler checks: which crate may use which, and what source must not contain.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use serde_json::Value;

/// What each crate may use of ours, beside what those use themselves. An arrow more is a design decision: it gets its own
/// commit, and a word in ARCHITECTURE.md.
const ARROWS: &[(&str, &[&str])] = &[
    ("cw-core", &[]),
    ("cw-market", &["cw-core"]),
    ("cw-analysis", &["cw-core"]),
    ("cw-risk", &["cw-core"]),
    ("cw-store", &["cw-core"]),
    ("cw-secrets", &["cw-core"]),
    ("cw-execution", &["cw-risk", "cw-market"]),
    ("cw-venues", &["cw-market", "cw-execution"]),
    // Venues as their specifications say, not as our clients do: it knows the words and nothing else of ours.
    ("cw-simex", &["cw-core"]),
    ("cw-engine", &["cw-market", "cw-analysis", "cw-execution", "cw-store"]),
    ("cw-backtest", &["cw-engine"]),
    // The contract is types and traits: it names nothing that trades. What analysis says of a candle crosses the surfaces
    // as it is, so its words are the contract's.
    ("cw-api", &["cw-core", "cw-analysis"]),
    ("cw-server", &["cw-api"]),
    ("cw-node", &["cw-api", "cw-server", "cw-venues", "cw-backtest", "cw-store", "cw-secrets"]),
    ("cw-cli", &["cw-node", "cw-server", "cw-simex"]),
    ("candlewick-desktop", &["cw-node", "cw-server"]),
    ("xtask", &["cw-analysis", "cw-api"]),
];

/// Never in what `cw-cli` is built from: the headless program runs where there is no webkit.
const NOT_HEADLESS: &[&str] = &["tauri", "wry", "tao", "gtk", "webkit2gtk", "javascriptcore-rs"];

/// A text that source must not contain, why, and the files that may.
struct Ban {
    text: &'static str,
    why: &'static str,
    /// Only in paths that begin with one of these; everywhere when empty.
    only: &'static [&'static str],
    except: &'static [&'static str],
}

const BANS: &[Ban] = &[
    Ban { text: "sqlx::", why: "SQL lives in cw-store", only: &["crates/"], except: &["crates/cw-store/"] },
    Ban {
        text: "SystemTime::now",
        why: "time comes from a Clock",
        only: &["crates/"],
        except: &["crates/cw-core/src/clock.rs"],
    },
    Ban {
        text: "Instant::now",
        why: "what decides has a Clock; only tasks around it may look at the machine's, for time-outs",
        only: &[
            "crates/cw-core/src",
            "crates/cw-market/src",
            "crates/cw-analysis/src",
            "crates/cw-risk/src",
            "crates/cw-execution/src",
            "crates/cw-engine/src",
            "crates/cw-backtest/src",
        ],
        except: &["crates/cw-engine/src/runtime/", "crates/cw-core/src/clock.rs", "crates/cw-market/src/follow.rs"],
    },
    Ban {
        text: "HashMap",
        why: "its order differs from run to run; the state that is hashed and replayed uses BTreeMap or Vec",
        only: &[
            "crates/cw-core/src",
            "crates/cw-market/src",
            "crates/cw-risk/src",
            "crates/cw-execution/src",
            "crates/cw-engine/src",
        ],
        except: &[],
    },
    Ban { text: "thread_rng", why: "randomness is seeded", only: &["crates/"], except: &[] },
    Ban { text: "todo!(", why: "what is not there is not called done", only: &["crates/", "src-tauri/"], except: &[] },
    Ban {
        text: "unimplemented!(",
        why: "what is not there is not called done",
        only: &["crates/", "src-tauri/"],
        except: &[],
    },
    Ban {
        text: "@tauri-apps/api",
        why: "the UI reaches its host through ui/src/transport alone",
        only: &["ui/src/"],
        except: &["ui/src/transport/"],
    },
    Ban { text: "dangerouslySetInnerHTML", why: "text from outside is text", only: &["ui/src/"], except: &[] },
];

/// Files that hold these texts to forbid them.
const SELF: &[&str] = &["crates/xtask/src/tidy.rs", "clippy.toml"];

pub fn check(root: &Path) -> anyhow::Result<()> {
    let mut problems = arrows(&metadata(root)?)?;
    for path in tracked(root)? {
        let relative = path.to_string_lossy().replace('\\', "/");
        // A file that is listed and deleted is git's business.
        if let Ok(text) = fs::read_to_string(root.join(&path)) {
            problems.extend(banned(&relative, &text));
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    bail!("{} problems:\n  {}", problems.len(), problems.join("\n  "))
}

fn metadata(root: &Path) -> anyhow::Result<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root)
        .output()
        .context("run cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn tracked(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--", "*.rs", "*.ts", "*.tsx"])
        .current_dir(root)
        .output()
        .context("run git ls-files")?;
    if !output.status.success() {
        bail!("git ls-files: {}", String::from_utf8_lossy(&output.stderr));
    }
    let names = String::from_utf8(output.stdout)?;
    Ok(names.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from).collect())
}

/// Uses between our crates that no arrow allows, and desktop crates below the headless program.
fn arrows(metadata: &Value) -> anyhow::Result<Vec<String>> {
    let packages = metadata["packages"].as_array().context("cargo metadata has no packages")?;
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let mut problems = Vec::new();
    for package in packages.iter().filter(|package| package["source"].is_null()) {
        let name = package["name"].as_str().unwrap_or_default();
        if !allowed.contains_key(name) {
            problems.push(format!("{name} has no line in the arrows of xtask tidy"));
            continue;
        }
        let reachable = reachable(name, &allowed);
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let used = dependency["name"].as_str().unwrap_or_default();
            let ours = dependency["source"].is_null() && allowed.contains_key(used);
            // Tests may look at more than the crate itself.
            if ours && dependency["kind"] != "dev" && !reachable.contains(used) {
                problems.push(format!("{name} may not use {used}"));
            }
        }
    }
    for name in headless_tree(metadata, packages) {
        if NOT_HEADLESS.contains(&name.as_str()) {
            problems.push(format!("cw-cli is built with {name}"));
        }
    }
    Ok(problems)
}

fn reachable<'a>(from: &'a str, allowed: &BTreeMap<&'a str, &'a [&'a str]>) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut next = vec![from];
    while let Some(name) = next.pop() {
        for used in allowed.get(name).copied().unwrap_or_default() {
            if found.insert(*used) {
                next.push(used);
            }
        }
    }
    found
}

/// Names of everything `cw-cli` is built from.
fn headless_tree(metadata: &Value, packages: &[Value]) -> BTreeSet<String> {
    let nodes = metadata["resolve"]["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let names: BTreeMap<&str, &str> =
        packages.iter().filter_map(|p| Some((p["id"].as_str()?, p["name"].as_str()?))).collect();
    let edges: BTreeMap<&str, &Value> = nodes.iter().filter_map(|n| Some((n["id"].as_str()?, n))).collect();
    let mut next: Vec<&str> = names.iter().filter(|(_, name)| **name == "cw-cli").map(|(id, _)| *id).collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = next.pop() {
        if !seen.insert(id) {
            continue;
        }
        let uses = edges.get(id).and_then(|node| node["deps"].as_array());
        for used in uses.into_iter().flatten() {
            let kinds = used["dep_kinds"].as_array();
            let only_tests = kinds.is_some_and(|kinds| kinds.iter().all(|kind| kind["kind"] == "dev"));
            if let Some(package) = used["pkg"].as_str().filter(|_| !only_tests) {
                next.push(package);
            }
        }
    }
    seen.into_iter().filter_map(|id| names.get(id)).map(|name| (*name).to_owned()).collect()
}

fn banned(path: &str, text: &str) -> Vec<String> {
    if SELF.contains(&path) {
        return Vec::new();
    }
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| path.starts_with(prefix));
    let mut problems = Vec::new();
    for ban in BANS {
        if !text.contains(ban.text) || begins(ban.except) || !(ban.only.is_empty() || begins(ban.only)) {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            // A comment may name what the code must not use.
            if line.contains(ban.text) && !line.trim_start().starts_with("//") {
                problems.push(format!("{path}:{}: {} ({})", number + 1, ban.text, ban.why));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn this_repository_is_tidy() {
        check(&crate::root()).unwrap();
    }

    #[test]
    fn a_banned_text_is_found_where_it_is_banned() {
        let line = "let rows = sqlx::query(\"select 1\");\n";
        assert_eq!(banned("crates/cw-engine/src/a.rs", line).len(), 1);
        assert!(banned("crates/cw-store/src/a.rs", line).is_empty());
        assert!(banned("crates/cw-engine/src/a.rs", "// never sqlx:: here\n").is_empty());
        assert_eq!(banned("ui/src/features/x.tsx", "import '@tauri-apps/api/core'\n").len(), 1);
    }

    #[test]
    fn an_arrow_too_many_is_found() {
        let package = |name: &str, uses: &[&str]| {
            let uses: Vec<Value> =
                uses.iter().map(|used| json!({ "name": used, "source": null, "kind": null })).collect();
            json!({ "name": name, "id": name, "source": null, "dependencies": uses })
        };
        let metadata = json!({ "packages": [
            package("cw-engine", &["cw-core", "cw-venues"]),
            package("cw-venues", &["cw-market"]),
            package("cw-extra", &[]),
        ], "resolve": { "nodes": [] } });
        assert_eq!(
            arrows(&metadata).unwrap(),
            ["cw-engine may not use cw-venues", "cw-extra has no line in the arrows of xtask tidy"]
        );
    }

    #[test]
    fn webkit_below_the_headless_program_is_found() {
        let package = |name: &str| json!({ "name": name, "id": name, "source": "registry", "dependencies": [] });
        let uses = |id: &str, used: &[&str]| {
            let used: Vec<Value> = used.iter().map(|u| json!({ "pkg": u, "dep_kinds": [{ "kind": null }] })).collect();
            json!({ "id": id, "deps": used })
        };
        let metadata = json!({
            "packages": [package("cw-cli"), package("middle"), package("wry")],
            "resolve": { "nodes": [uses("cw-cli", &["middle"]), uses("middle", &["wry"]), uses("wry", &[])] },
        });
        assert_eq!(arrows(&metadata).unwrap(), ["cw-cli is built with wry"]);
    }
}
