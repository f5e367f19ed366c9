//! Exported files are checked, and live ones grow with the market.

use std::time::Duration;

use cw_api::commands::data::SetMockSpeed;
use cw_api::stream::{Topic, UpdateData};
use cw_store::TableValues;
use futures_util::StreamExt;

use super::*;

#[tokio::test]
async fn an_exported_file_is_what_its_manifest_says() {
    let f = Fixture::new().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("export.jsonl").display().to_string();
    let range = json!({"instrument": "BTC-PERP.SIM", "timeframe": "1h", "from": "2026-02-01", "to": "2026-02-03"});
    let write = |text: &str| std::fs::write(&path, text).unwrap();
    for (command, format, kind, manifest) in [
        ("features.export", "jsonl", "features", true),
        ("rag.export", "jsonl", "rag", true),
        ("rag.export", "qdrant", "points", false),
    ] {
        let mut request = range.clone();
        request["format"] = json!(format);
        let text = f.get(command, request).await["text"].as_str().unwrap().to_owned();
        write(&text);
        let valid = f.get("rag.validate", json!({"file": path})).await;
        assert_eq!((&valid["ok"], &valid["problems"]), (&json!(true), &json!([])), "{command} {format}");
        assert_eq!((&valid["kind"], &valid["manifest"], &valid["rows"]), (&json!(kind), &json!(manifest), &json!(48)));
        assert_eq!((&valid["first"], &valid["current_schema"]), (&json!("2026-02-01T00:00:00Z"), &json!(true)));

        let wrong = async |text: String, expected: &str| {
            write(&text);
            let found = f.get("rag.validate", json!({"file": path})).await;
            let problems = found["problems"].to_string();
            assert!(found["ok"] == false && problems.contains(expected), "{command} {format}: {problems}");
        };
        let rows: Vec<&str> = text.lines().collect();
        wrong(text.trim_end().to_owned(), "cut off").await;
        let moved = if kind == "features" { "is not after the line before" } else { "the id of this candle is" };
        wrong(text.replacen("2026-02-02T05:00:00Z", "2026-02-01T01:00:00Z", 1), moved).await;
        wrong(text.replacen("\"open_time\":", "\"at\":", 2), "no `open_time`").await;
        wrong(format!("{}\n{{", rows.join("\n")), "EOF").await;
        if manifest {
            wrong(format!("{}\n", rows[..40].join("\n")), "39 rows, the manifest says 48").await;
            wrong(text.replacen("2026-02-02T05:00:00Z", "2026-02-02T05:00:01Z", 1), "hash to").await;
        }
        if manifest {
            wrong(text.replacen("\"provider\":\"SIM\"", "\"provider\":\"SIN\"", 1), "its hash is another").await;
        }
        if kind != "features" {
            // A number of a text, which no hash covers where there is no manifest.
            for (words, feature) in [(": RSI at ", "rsi_14"), ("; ADX ", "adx")] {
                let place = text.rfind(words).unwrap() + words.len();
                let digit = if text.as_bytes()[place] == b'9' { "1" } else { "9" };
                let edited = format!("{}{digit}{}", &text[..place], &text[place + 1..]);
                wrong(edited, &format!("where the vector's {feature} is")).await;
            }
            let id = rows[rows.len() - 1].split("\"id\":\"").nth(1).unwrap()[..36].to_owned();
            wrong(text.replacen(&id, "00000000-0000-8000-8000-000000000000", 1), "the id of this candle is").await;
        }
    }
    let none = f.ask("rag.validate", json!({"file": "/no/such/file"})).await.unwrap_err();
    assert_eq!((none.code, none.field.as_deref()), (ErrorCode::NotFound, Some("file")));
    let still = f.ask("rag.start", json!({"instrument": "BTC-PERP.SIM", "timeframe": "1m"})).await.unwrap_err();
    assert_eq!(still.code, ErrorCode::Unavailable, "nothing closes on a node without market data");
    f.node.stop().await;
}

#[tokio::test]
async fn a_parquet_export_shows_every_change() {
    let f = Fixture::new().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("export.parquet").display().to_string();
    for (command, kind) in [("features.export", "features"), ("rag.export", "rag")] {
        let request = json!({
            "instrument": "BTC-PERP.SIM", "timeframe": "1h", "from": "2026-02-01", "to": "2026-02-03", "format": "parquet",
        });
        let context = Context::new(Caller::operator(Surface::Rest), Arc::clone(&f.services));
        let Ok(Output::Binary { bytes, .. }) = dispatch(command, request, &context).await else { panic!("{command}") };
        let validate = async |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            f.get("rag.validate", json!({"file": path})).await
        };
        let valid = validate(&bytes).await;
        assert_eq!((&valid["ok"], &valid["problems"]), (&json!(true), &json!([])), "{command}");
        assert_eq!((&valid["kind"], &valid["manifest"], &valid["rows"]), (&json!(kind), &json!(true), &json!(48)));
        assert_eq!((&valid["first"], &valid["current_schema"]), (&json!("2026-02-01T00:00:00Z"), &json!(true)));

        // A flipped bit is found wherever it is: in a page, in the manifest, in what the footer says of the pages.
        let step = bytes.len() / 97;
        for place in (0..bytes.len()).step_by(step).chain(bytes.len() - 12..bytes.len()) {
            let mut flipped = bytes.to_vec();
            flipped[place] ^= 1 << (place % 8);
            assert_eq!(validate(&flipped).await["ok"], false, "{command}: byte {place} of {}", bytes.len());
        }
        assert_eq!(validate(&bytes[..bytes.len() - 1]).await["ok"], false, "cut off");

        // A table that was edited and written again, with the manifest as it was and then with one that knows its hash.
        let edited = |forge: bool| {
            let mut table = cw_store::read_table(bytes.to_vec()).unwrap();
            match &mut table.columns[2].1 {
                TableValues::Number(numbers) => numbers[7] += 1e-9,
                TableValues::Text(texts) => texts[7] = texts[7].replacen(": RSI at ", ": RSI at 1", 1),
                _ => panic!("the third column is a feature or a text"),
            }
            if forge {
                let hash = cw_store::table_hash(&table.columns);
                let mut manifest: Value = serde_json::from_str(&table.metadata[0].1).unwrap();
                manifest["content_hash"] = json!(hash);
                table.metadata[0].1 = manifest.to_string();
                table.metadata[1].1 = blake3::hash(table.metadata[0].1.as_bytes()).to_hex().to_string();
            }
            let mut bytes = Vec::new();
            cw_store::write_table(&mut bytes, table.columns, table.metadata).unwrap();
            bytes
        };
        let found = validate(&edited(false)).await["problems"].to_string();
        assert!(found.contains("the rows hash to"), "{found}");
        if kind == "rag" {
            let found = validate(&edited(true)).await["problems"].to_string();
            assert!(found.contains("row 8: `description` says 1") && !found.contains("hash"), "{found}");
        }
        let mut table = cw_store::read_table(bytes.to_vec()).unwrap();
        table.columns.swap(1, 2);
        let mut swapped = Vec::new();
        cw_store::write_table(&mut swapped, table.columns, table.metadata).unwrap();
        assert!(validate(&swapped).await["problems"].to_string().contains("the columns are"), "{command}");
    }
    f.node.stop().await;
}

/// A live node whose market runs ten minutes a second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_live_export_follows_the_market_and_goes_on_after_a_stop() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let node = Node::open(NodeConfig::live(&data), LogRing::new()).await.unwrap();
    let services = node.services();
    let caller = Caller::operator(Surface::Rest);
    let ask = async |name: &str, request: Value| {
        let context = Context::new(Caller::operator(Surface::Rest), Arc::clone(&services));
        dispatch(name, request.clone(), &context).await.map_or_else(|e| panic!("{name}: {e:?}"), Output::into_json)
    };
    let series = json!({"instrument": "BTC-PERP.SIM", "timeframe": "1m"});
    let topic = Topic::parse("enriched", series.clone()).unwrap();
    let mut closed = services.events.subscribe(&caller, topic).await.unwrap();
    services.market.set_mock_speed(&caller, SetMockSpeed { speed: 600.0 }).await.unwrap();

    // Waits with the candles themselves until the file has so many rows.
    let mut grown = async |rows: u64, format: &str| loop {
        let update =
            tokio::time::timeout(Duration::from_secs(20), closed.next()).await.expect("candles close").unwrap();
        assert!(matches!(update.data, UpdateData::Enriched(_)));
        let list = ask("rag.live", json!({})).await;
        let export =
            list["exports"].as_array().unwrap().iter().find(|export| export["format"] == format).unwrap().clone();
        assert_eq!(export["problem"], Value::Null);
        if export["rows"].as_u64().unwrap() >= rows {
            return export;
        }
    };
    let mut request = series.clone();
    let first = ask("rag.start", request.clone()).await;
    request["format"] = json!("qdrant");
    ask("rag.start", request.clone()).await;
    let export = grown(6, "jsonl").await;
    assert_eq!(export["file"], first["file"]);
    let points = grown(6, "qdrant").await;
    let list = ask("rag.stop", series.clone()).await;
    assert_eq!((&list["exports"], &list["vectors"]), (&json!([]), &json!(false)));
    assert!(list["vectors_detail"].as_str().unwrap().contains("SQLite"));

    // Started again it goes on where it ended: no candle is left out, none comes twice.
    ask("rag.start", series.clone()).await;
    let export = grown(export["rows"].as_u64().unwrap() + 6, "jsonl").await;
    ask("rag.stop", series.clone()).await;
    ask("mock.disable", json!({})).await;
    for file in [&export["file"], &points["file"]] {
        let valid = ask("rag.validate", json!({"file": file})).await;
        assert_eq!((&valid["ok"], &valid["manifest"]), (&json!(true), &json!(true)), "{valid}");
        assert!(valid["rows"].as_u64() >= Some(6) && valid["replaced"] == 0);
    }
    let text = std::fs::read_to_string(export["file"].as_str().unwrap()).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let minutes: Vec<i64> = rows.iter().map(|row| time(&row["open_time"]).as_secs() / 60).collect();
    assert!(minutes.windows(2).all(|pair| pair[1] == pair[0] + 1), "{minutes:?}");
    let last = &rows[rows.len() - 1];
    assert!(last["description"].as_str().is_some_and(|text| text.len() > 100), "{last}");
    node.stop().await;
}
