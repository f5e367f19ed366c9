//! `candlewick mcp install`: this program in Claude Desktop's configuration.

use std::path::{Path, PathBuf};

use cw_api::ApiError;
use serde_json::{Map, Value, json};

use crate::options::Globals;
use crate::own::McpInstall;

const NAME: &str = "candlewick";

/// Merges our entry into the file, keeping everything else, with a copy of the old file beside it.
pub fn install(globals: &Globals, options: &McpInstall) -> Result<Value, ApiError> {
    let path = match &options.file {
        Some(given) => PathBuf::from(given),
        None => {
            default_path().ok_or_else(|| ApiError::invalid("file", "this system has no home folder; use --file"))?
        }
    };
    let program = std::env::current_exe().map_err(|error| ApiError::internal(format!("where am I: {error}")))?;
    let entry = json!({
        "command": program,
        "args": ["mcp", "--data-dir", globals.data_dir],
    });
    let (mut config, existed) = read(&path)?;
    let servers = config.entry("mcpServers").or_insert_with(|| Value::Object(Map::new()));
    let servers = servers.as_object_mut().ok_or_else(|| bad(&path, "its mcpServers is not an object"))?;
    let changed = servers.get(NAME) != Some(&entry);
    servers.insert(NAME.to_owned(), entry.clone());

    let mut backup = None;
    if changed && !options.dry_run {
        let folder = path.parent().ok_or_else(|| bad(&path, "it has no folder"))?;
        let failed = |error: std::io::Error| ApiError::storage(format!("{}: {error}", path.display()));
        std::fs::create_dir_all(folder).map_err(failed)?;
        if existed {
            let copy = free_name(&path);
            std::fs::copy(&path, &copy).map_err(failed)?;
            backup = Some(copy);
        }
        let text = serde_json::to_string_pretty(&config).map_err(ApiError::internal)?;
        let fresh = path.with_extension(format!("new-{}", std::process::id()));
        std::fs::write(&fresh, format!("{text}\n")).map_err(failed)?;
        std::fs::rename(&fresh, &path).map_err(failed)?;
    }
    Ok(json!({
        "file": path,
        "changed": changed && !options.dry_run,
        "backup": backup,
        "server": NAME,
        "command": entry["command"],
        "args": entry["args"],
        "next": "restart Claude Desktop",
    }))
}

fn bad(path: &Path, problem: &str) -> ApiError {
    ApiError::invalid("file", format!("{} was left as it is: {problem}", path.display()))
}

/// The configuration that is there, or an empty one. A file that is not JSON is never overwritten.
fn read(path: &Path) -> Result<(Map<String, Value>, bool), ApiError> {
    match std::fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok((Map::new(), false)),
        Err(error) => Err(ApiError::storage(format!("{}: {error}", path.display()))),
        Ok(text) if text.trim().is_empty() => Ok((Map::new(), true)),
        Ok(text) => match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
            Ok(Value::Object(config)) => Ok((config, true)),
            Ok(_) => Err(bad(path, "it is not a JSON object")),
            Err(error) => Err(bad(path, &format!("it is not valid JSON: {error}"))),
        },
    }
}

/// `…json.backup-1`, the first number that is free.
fn free_name(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let numbered = |n: u32| path.with_file_name(format!("{name}.backup-{n}"));
    // After a thousand copies the last one is replaced.
    (1..1000).map(numbered).find(|copy| !copy.exists()).unwrap_or_else(|| numbered(1000))
}

fn default_path() -> Option<PathBuf> {
    let dirs = directories::BaseDirs::new()?;
    Some(dirs.config_dir().join("Claude").join("claude_desktop_config.json"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Format;

    fn setup() -> (tempfile::TempDir, Globals, PathBuf) {
        let root = tempfile::tempdir().unwrap();
        let globals = Globals { data_dir: "/data".into(), config: None, format: Format::Json, quiet: true };
        let file = root.path().join("Claude/claude_desktop_config.json");
        (root, globals, file)
    }

    fn options(file: &Path) -> McpInstall {
        McpInstall { file: Some(file.to_string_lossy().into_owned()), dry_run: false }
    }

    #[test]
    fn other_servers_and_unknown_keys_stay_and_the_old_file_is_kept() {
        let (_root, globals, file) = setup();
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let old = r#"{"theme":"dark","mcpServers":{"other":{"command":"x"}}}"#;
        std::fs::write(&file, old).unwrap();
        let report = install(&globals, &options(&file)).unwrap();
        let new: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        assert_eq!((&new["theme"], &new["mcpServers"]["other"]["command"]), (&json!("dark"), &json!("x")));
        assert_eq!(new["mcpServers"][NAME]["args"], json!(["mcp", "--data-dir", "/data"]));
        assert_eq!(std::fs::read_to_string(report["backup"].as_str().unwrap()).unwrap(), old);
        assert_eq!(install(&globals, &options(&file)).unwrap()["changed"], false);
    }

    #[test]
    fn a_broken_file_is_left_alone_and_a_missing_one_made() {
        let (_root, globals, file) = setup();
        let dry = McpInstall { dry_run: true, ..options(&file) };
        install(&globals, &dry).unwrap();
        assert!(!file.exists());
        install(&globals, &options(&file)).unwrap();
        assert!(file.exists());
        for broken in ["{", "[1]", r#"{"mcpServers": 1}"#] {
            std::fs::write(&file, broken).unwrap();
            assert!(install(&globals, &options(&file)).is_err(), "{broken}");
            assert_eq!(std::fs::read_to_string(&file).unwrap(), broken);
        }
    }
}
