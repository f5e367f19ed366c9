//! The analysis commands on a real node that stands still at noon of a Wednesday.

use std::sync::Arc;

use cw_api::{ApiError, Caller, Context, ErrorCode, Output, Services, dispatch};
use cw_core::{ManualClock, Surface, Timestamp};
use serde_json::{Value, json};

use crate::config::NodeConfig;
use crate::logs::LogRing;
use crate::node::Node;

mod rag;

struct Fixture {
    _dir: tempfile::TempDir,
    node: Node,
    services: Arc<Services>,
}

impl Fixture {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new("2026-03-04T12:00:30Z".parse().unwrap()));
        let node =
            Node::open_with_clock(NodeConfig::offline(dir.path().join("data")), LogRing::new(), clock).await.unwrap();
        let services = node.services();
        Self { _dir: dir, node, services }
    }

    async fn ask(&self, name: &str, request: Value) -> Result<Value, ApiError> {
        let context = Context::new(Caller::operator(Surface::Rest), Arc::clone(&self.services));
        dispatch(name, request, &context).await.map(Output::into_json)
    }

    async fn get(&self, name: &str, request: Value) -> Value {
        self.ask(name, request.clone()).await.unwrap_or_else(|error| panic!("{name} {request}: {error:?}"))
    }
}

fn time(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn similar_moments_end_before_the_one_asked_about() {
    let f = Fixture::new().await;
    let request = json!({"instrument": "BTC-PERP.SIM", "timeframe": "1h", "limit": 3000, "top": 12, "gap": 24});
    let found = f.get("similar.search", request.clone()).await;
    assert_eq!(found["at"], "2026-03-04T11:00:00Z");
    let moments = found["moments"].as_array().unwrap();
    assert_eq!(moments.len(), 12);
    let hours = |value: &Value| time(value).as_secs() / 3_600;
    for (rank, moment) in moments.iter().enumerate() {
        // Sixty candles ahead, sixty of embargo.
        assert!(hours(&moment["open_time"]) + 120 <= hours(&found["at"]), "{moment}");
        let apart = |other: &&Value| (hours(&other["open_time"]) - hours(&moment["open_time"])).abs();
        assert!(moments[..rank].iter().all(|other| apart(&other) >= 24));
        assert_eq!(moment["returns"].as_array().unwrap().len(), 3);
    }
    assert_eq!(found["fan"].as_array().unwrap().len(), 60);
    let outcome = &found["outcomes"][1];
    assert_eq!((&outcome["horizon"], &outcome["count"]), (&json!(20), &json!(12)));
    assert!(
        outcome["up_low"].as_f64() < outcome["up"].as_f64() && outcome["up"].as_f64() < outcome["up_high"].as_f64()
    );
    assert_eq!(found["fan"][19]["median"], outcome["median"]);
    assert_eq!(f.get("similar.search", request).await, found, "the same question has the same answer");

    // Asked about an earlier candle, nothing of what came later is in the answer.
    let earlier = json!({"instrument": "BTC-PERP.SIM", "timeframe": "1h", "limit": 2000, "at": "2026-02-01T05:59:59Z"});
    let earlier = f.get("similar.search", earlier).await;
    assert_eq!(earlier["at"], "2026-02-01T05:00:00Z");
    assert!(time(&earlier["searched_to"]) < time(&earlier["at"]));

    let refuse = async |request: Value, field: &str| {
        let error = f.ask("similar.search", request).await.unwrap_err();
        assert_eq!((error.code, error.field.as_deref()), (ErrorCode::InvalidRequest, Some(field)), "{error:?}");
    };
    refuse(json!({"instrument": "BTC-PERP.SIM", "timeframe": "1h", "limit": 250}), "limit").await;
    refuse(json!({"instrument": "BTC-PERP.SIM", "timeframe": "1h", "horizons": [0]}), "horizons").await;
    refuse(json!({"instrument": "BTC-PERP.SIM", "timeframe": "1h", "at": "2026-03-04T12:00:10Z"}), "at").await;
    f.node.stop().await;
}

#[tokio::test]
async fn an_enriched_candle_and_its_description_agree() {
    let f = Fixture::new().await;
    let request = json!({"instrument": "BTC-PERP.SIM", "timeframe": "15m"});
    let enriched = f.get("enrich.get", request.clone()).await;
    assert_eq!(enriched["ohlcv"]["open_time"], "2026-03-04T11:45:00Z");
    assert_eq!((&enriched["metadata"]["provider"], &enriched["metadata"]["ready"]), (&json!("SIM"), &json!(true)));
    assert_eq!(enriched["processed_at"], "2026-03-04T12:00:30Z");
    assert_eq!(enriched["confidence"], 1.0);
    assert_eq!(enriched["features"].as_object().unwrap().len(), 64);

    let said = f.get("narrative.get", request.clone()).await;
    assert_eq!(said["at"], enriched["ohlcv"]["open_time"]);
    let rsi = said["sentences"].as_array().unwrap().iter().flat_map(|s| s["fields"].as_array().unwrap());
    let rsi = rsi.into_iter().find(|field| field["path"] == "context.momentum.rsi").unwrap();
    assert_eq!(rsi["value"], enriched["context"]["momentum"]["rsi"]);

    for (format, kind, begin) in [
        (json!(null), "text/plain; charset=utf-8", "BTC-PERP.SIM, 15m: "),
        (json!("markdown"), "text/markdown; charset=utf-8", "## BTC-PERP.SIM, 15m: "),
        (json!("json"), "application/json", "{\n"),
    ] {
        let mut request = request.clone();
        request["format"] = format;
        let described = f.get("narrative.describe", request).await;
        assert_eq!(described["content_type"], kind);
        assert!(described["text"].as_str().unwrap().starts_with(begin), "{described}");
    }
    let earlier = json!({"instrument": "BTC-PERP.SIM", "timeframe": "15m", "at": "2026-03-01T07:20:00Z"});
    assert_eq!(f.get("enrich.get", earlier).await["ohlcv"]["open_time"], "2026-03-01T07:15:00Z");
    let unknown = f.ask("enrich.get", json!({"instrument": "GHOST.SIM", "timeframe": "1h"})).await.unwrap_err();
    assert_eq!(unknown.code, ErrorCode::NotFound);
    f.node.stop().await;
}

/// What was said of a candle when it was the newest is what is said of it later.
#[tokio::test]
async fn structure_at_a_candle_is_known_at_its_close() {
    let f = Fixture::new().await;
    let request = json!({"instrument": "BTC-PERP.SIM", "timeframe": "1h", "at": "2026-02-20T05:30:00Z"});
    let then = f.get("structure.get", request).await;
    assert_eq!(then["at"], "2026-02-20T05:00:00Z");
    let now = f.get("structure.get", json!({"instrument": "BTC-PERP.SIM", "timeframe": "1h"})).await;
    assert_eq!(now["at"], "2026-03-04T11:00:00Z");
    let list = |answer: &Value, name: &str| answer[name].as_array().unwrap().clone();
    for pivot in list(&then, "pivots") {
        assert!(time(&pivot["time"]) < time(&pivot["confirmed_at"]));
        assert!(time(&pivot["confirmed_at"]) <= time(&then["at"]));
    }
    let (pivots, later) = (list(&then, "pivots"), list(&now, "pivots"));
    let newest = pivots.last().unwrap();
    assert!(later.contains(newest) || later[0]["time"].as_str() > newest["time"].as_str(), "{newest} stays");
    let strengths: Vec<f64> = list(&then, "levels").iter().map(|l| l["strength"].as_f64().unwrap()).collect();
    assert!(strengths.len() > 5 && strengths.is_sorted_by(|a, b| a >= b));
    assert!(list(&now, "patterns").iter().all(|p| time(&p["formed_at"]) <= time(&now["at"])));
    assert!(["up", "down", "range"].contains(&now["regime"]["trend"].as_str().unwrap()));
    let early = f.ask("structure.get", json!({"instrument": "NOPE.FILE", "timeframe": "1h"})).await.unwrap_err();
    assert_eq!(early.code, ErrorCode::NotFound);
    f.node.stop().await;
}

#[tokio::test]
async fn described_candles_are_found_by_their_words() {
    let f = Fixture::new().await;
    let request = json!({"instrument": "BTC-PERP.SIM", "timeframe": "1h", "limit": 60});
    let indexed = f.get("narrative.index", request.clone()).await;
    assert_eq!((&indexed["indexed"], &indexed["last"]), (&json!(60), &json!("2026-03-04T11:00:00Z")));
    assert_eq!(f.get("narrative.index", request).await, indexed, "again is the same");
    let said = f.get("narrative.get", json!({"instrument": "BTC-PERP.SIM", "timeframe": "1h"})).await;
    let keyword = said["keywords"][0].as_str().unwrap();
    let ask = |words: &str| json!({"words": words, "instrument": "BTC-PERP.SIM", "limit": 100});
    let found = f.get("narrative.search", ask(keyword)).await;
    let found = found["found"].as_array().unwrap();
    assert!(!found.is_empty() && found.len() <= 60, "{keyword}: {}", found.len());
    assert!(found.iter().all(|hit| time(&hit["at"]) >= time(&indexed["first"])));
    assert!(found.iter().any(|hit| hit["at"] == said["at"]), "{keyword} is said of the newest candle");
    let other = json!({"words": keyword, "instrument": "ETH-PERP.SIM"});
    assert_eq!(f.get("narrative.search", other).await["found"], json!([]));
    let refused = f.ask("narrative.search", json!({"words": "?!"})).await.unwrap_err();
    assert_eq!(refused.field.as_deref(), Some("words"));
    f.node.stop().await;
}

/// The lines of a file, its manifest first.
fn lines(file: &Value) -> Vec<Value> {
    file["text"].as_str().unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn exports_carry_a_manifest_and_know_no_future() {
    let f = Fixture::new().await;
    let list = f.get("features.list", json!({})).await;
    let names: Vec<&Value> = list["features"].as_array().unwrap().iter().map(|feature| &feature["name"]).collect();
    assert_eq!(names.len(), 64);

    let range = |to: &str| json!({"instrument": "BTC-PERP.SIM", "timeframe": "1h", "from": "2026-02-01", "to": to});
    let text = |file: &Value| file["text"].as_str().unwrap().to_owned();
    let file = f.get("features.export", range("2026-02-03")).await;
    let rows = lines(&json!({ "text": text(&file) }));
    let manifest = &rows[0]["manifest"];
    assert_eq!((&manifest["rows"], rows.len()), (&json!(48), 49));
    assert_eq!((&manifest["first"], &rows[1]["open_time"]), (&json!("2026-02-01T00:00:00Z"), &manifest["first"]));
    assert_eq!(manifest["features"].as_array().unwrap().iter().collect::<Vec<_>>(), names);
    assert_eq!(manifest["schema_hash"], list["schema_hash"]);
    assert!(time(&manifest["scaler_fitted"]["last"]) < time(&manifest["first"]));
    let whole = text(&file);
    let content = whole.split_once('\n').unwrap().1;
    assert_eq!(manifest["content_hash"], blake3::hash(content.as_bytes()).to_hex().as_str());
    let scaler: cw_analysis::features::Scaler = serde_json::from_value(manifest["scaler"].clone()).unwrap();
    scaler.check().unwrap();

    // A range that ends earlier has the same rows and the same scale.
    let shorter = lines(&json!({ "text": text(&f.get("features.export", range("2026-02-02")).await) }));
    assert_eq!((shorter.len(), &shorter[1..]), (25, &rows[1..25]));
    assert_eq!(shorter[0]["manifest"]["scaler"], manifest["scaler"]);

    let mut request = range("2026-02-03");
    let ready = lines(&json!({ "text": text(&f.get("rag.export", request.clone()).await) }));
    assert_eq!(ready.len(), 49);
    assert_eq!(ready[0]["manifest"]["embedding"], json!({"model": "candlewick-features-1", "dimensions": 64}));
    assert_eq!(ready[1]["embedding_vector"].as_array().unwrap().len(), 64);
    let one =
        f.get("rag.get", json!({"instrument": "BTC-PERP.SIM", "timeframe": "1h", "at": "2026-02-01T00:30:00Z"})).await;
    assert_eq!((&one["id"], &one["technical_summary"]), (&ready[1]["id"], &ready[1]["technical_summary"]));

    request["format"] = json!("qdrant");
    let points = lines(&json!({ "text": text(&f.get("rag.export", request.clone()).await) }));
    assert_eq!((points.len(), &points[0]["id"]), (48, &ready[1]["id"]));
    assert_eq!(points[0]["vector"], ready[1]["embedding_vector"]);
    for command in ["features.export", "rag.export"] {
        request["format"] = json!("parquet");
        let file = f.get(command, request.clone()).await;
        assert_eq!(file["content_type"], "application/vnd.apache.parquet");
        assert!(file["base64"].as_str().unwrap().starts_with("UEFSM"), "PAR1");
    }
    let many = f.ask("rag.export", json!({"instrument": "BTC-PERP.SIM", "timeframe": "1h", "limit": 0})).await;
    assert_eq!(many.unwrap_err().field.as_deref(), Some("limit"));
    f.node.stop().await;
}
