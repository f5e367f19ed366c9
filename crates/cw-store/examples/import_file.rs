//! Imports one file into a data directory and prints the report as JSON:
//! `cargo run -p cw-store --example import_file -- DATA_DIR FILE INSTRUMENT [TIMEFRAME]`

#![expect(clippy::print_stdout, reason = "the report is the program's output")]

use std::fs::File;
use std::path::Path;

use cw_store::{ImportControl, ImportOptions, Store, StoreConfig};

type Error = Box<dyn std::error::Error>;

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [dir, file, instrument, timeframe @ ..] = arguments.as_slice() else {
        return Err("arguments: DATA_DIR FILE INSTRUMENT [TIMEFRAME]".into());
    };
    let timeframe = timeframe.first().map(|text| text.parse()).transpose()?;
    let name = Path::new(file).file_name().and_then(|name| name.to_str()).unwrap_or(file);
    let options = ImportOptions::new(instrument.parse()?, timeframe, name);
    tokio::runtime::Runtime::new()?.block_on(async {
        let store = Store::open(&StoreConfig::local(dir)).await?;
        let report = store.import(File::open(file)?, &options, &ImportControl::default()).await?;
        println!("{}", serde_json::to_string(&report)?);
        store.close().await?;
        Ok(())
    })
}
