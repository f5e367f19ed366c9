//! Reads every file below a folder with every decoder of the venue that the file's folder is named after, and prints what
//! came out: `cargo run -p cw-venues --example decode_folder -- FOLDER`.

#![expect(clippy::print_stdout, reason = "it prints a table")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use cw_venues::decode::{Decoded, decoders};

fn files(folder: &Path, all: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files(&path, all)?;
        } else if path.extension().is_some_and(|ending| ending == "json" || ending == "txt" || ending == "bin") {
            all.push(path);
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    let Some(folder) = std::env::args().nth(1) else { return ExitCode::from(2) };
    let mut paths = Vec::new();
    if let Err(error) = files(Path::new(&folder), &mut paths) {
        println!("{folder}: {error}");
        return ExitCode::FAILURE;
    }
    paths.sort();
    let (mut known, mut taken) = (0, 0);
    for path in paths {
        let Ok(payload) = std::fs::read(&path) else { continue };
        let venue = path.parent().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or_default();
        let mine: Vec<_> = decoders().into_iter().filter(|decoder| decoder.venue == venue).collect();
        let read: Vec<(&str, Decoded)> = if mine.is_empty() {
            decoders().iter().map(|decoder| (decoder.what, decoder.read(&payload))).collect()
        } else {
            mine.iter().map(|decoder| (decoder.what, decoder.read(&payload))).collect()
        };
        // A venue that is not ours: that nothing panics is all there is to see.
        known += usize::from(!mine.is_empty());
        let best = read.iter().max_by_key(|(_, decoded)| decoded.taken);
        let Some((what, best)) = best.filter(|(_, best)| best.taken > 0 && !mine.is_empty()) else { continue };
        taken += 1;
        println!("{}: {what}: {} taken, {} quarantined", path.display(), best.taken, best.quarantined);
    }
    println!("{known} files of our venues, {taken} with something that we use");
    ExitCode::SUCCESS
}
