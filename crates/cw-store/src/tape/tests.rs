use std::fs;

use cw_core::{InstrumentId, Price, Quantity, Side};
use proptest::prelude::*;

use super::*;

fn trade(time: i64, price: i64, qty: i128, id: u64) -> TapeEvent {
    let aggressor = [None, Some(Side::Buy), Some(Side::Sell)][(id % 3) as usize];
    let event_time = Timestamp::from_nanos(time);
    let (price, qty) = (Price::from_raw(price), Quantity::from_raw(qty));
    let trade = Trade { event_time, price, qty, aggressor, trade_id: id };
    TapeEvent { received_at: event_time.plus_nanos(1_500_000 + time % 777), kind: TapeKind::Trade(trade) }
}

fn quote(time: i64, bid: i64, ask: i64, sizes: [i128; 2]) -> TapeEvent {
    let quote = Quote {
        event_time: Timestamp::from_nanos(time),
        bid: Price::from_raw(bid),
        ask: Price::from_raw(ask),
        bid_qty: Quantity::from_raw(sizes[0]),
        ask_qty: Quantity::from_raw(sizes[1]),
    };
    TapeEvent { received_at: Timestamp::from_nanos(time.wrapping_add(5)), kind: TapeKind::Quote(quote) }
}

/// A market's hour: trades with quotes between them, a grid of ticks, times in whole milliseconds.
fn hour(count: i64) -> Vec<TapeEvent> {
    let event = |n: i64| {
        let time = 1_700_000_000_000_000_000 + n * 83_000_000;
        let price = 39_432_480_000_000 + (n * 7_919 % 401 - 200) * 10_000_000;
        match n % 4 {
            0 => quote(time, price, price + 10_000_000, [i128::from(n % 97) * 1_000_000, 5_000_000]),
            _ => trade(time, price, i128::from(1 + n * 104_729 % 50_000) * 1_000, 553_287_559 + n as u64),
        }
    };
    (0..count).map(event).collect()
}

fn id() -> InstrumentId {
    "BTC/USDx.TEST".parse().unwrap()
}

fn write(tapes: &Tapes, events: &[TapeEvent]) -> u64 {
    let (mut writer, cut) = tapes.writer(&id()).unwrap();
    for event in events {
        writer.push(*event).unwrap();
    }
    writer.finish().unwrap();
    cut
}

fn read(tapes: &Tapes, from: Timestamp, to: Timestamp) -> (Vec<TapeEvent>, u64) {
    let mut reader = tapes.read(&id(), from, to).unwrap();
    let mut events = Vec::new();
    while reader.next(&mut events).unwrap() {}
    (events, reader.damaged())
}

fn all(tapes: &Tapes) -> (Vec<TapeEvent>, u64) {
    read(tapes, Timestamp::MIN, Timestamp::MAX)
}

#[test]
fn what_was_recorded_comes_back_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let tapes = Tapes::new(dir.path());
    assert_eq!(tapes.list().unwrap(), []);
    let events = hour(10_000);
    write(&tapes, &events[..6_000]);
    write(&tapes, &events[6_000..]);
    assert_eq!(all(&tapes), (events.clone(), 0));
    let list = tapes.list().unwrap();
    assert_eq!(list.len(), 1);
    assert_eq!((list[0].instrument.as_str(), list[0].events, list[0].segments), ("BTC/USDx.TEST", 10_000, 1));
    assert_eq!((list[0].first, list[0].last), (events[0].received_at, events[9_999].received_at));
    assert_eq!(tapes.range(&id()).unwrap(), Some((list[0].first, list[0].last)));
    assert_eq!(tapes.range(&"OTHER.TEST".parse().unwrap()).unwrap(), None);
    assert!(list[0].bytes < 10_000 * 12, "{} bytes", list[0].bytes);
    let (from, to) = (events[4_000].received_at, events[7_000].received_at);
    assert_eq!(read(&tapes, from, to).0, events[4_000..7_000]);
    assert_eq!(read(&tapes, Timestamp::MIN, events[0].received_at).0, []);
}

#[test]
fn a_torn_tail_is_cut_wherever_it_tears() {
    let events = hour(300);
    let dir = tempfile::tempdir().unwrap();
    let tapes = Tapes::new(dir.path());
    write(&tapes, &events[..100]);
    let path = fs::read_dir(dir.path().join("recordings/BTC%2FUSD%78.TEST")).unwrap().next().unwrap().unwrap().path();
    let first = fs::read(&path).unwrap();
    write(&tapes, &events[100..200]);
    let whole = fs::read(&path).unwrap();
    for length in (0..whole.len()).step_by(7) {
        fs::write(&path, &whole[..length]).unwrap();
        let kept = if length >= first.len() { &events[..100] } else { &[] };
        assert_eq!(all(&tapes).0, kept, "{length} bytes");
        let cut = write(&tapes, &events[200..]);
        let head = 8 + 2 + id().as_str().len();
        let end = if length >= first.len() { first.len() } else { head * usize::from(length >= head) };
        assert_eq!(cut, (length - end) as u64);
        let expected: Vec<TapeEvent> = kept.iter().chain(&events[200..]).copied().collect();
        assert_eq!(all(&tapes), (expected, 0), "{length} bytes");
        for entry in fs::read_dir(path.parent().unwrap()).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
    }
}

#[test]
fn a_damaged_block_is_passed_over_and_said() {
    let events = hour(300);
    let dir = tempfile::tempdir().unwrap();
    let tapes = Tapes::new(dir.path());
    (0..3).for_each(|n| {
        write(&tapes, &events[n * 100..(n + 1) * 100]);
    });
    let path = fs::read_dir(dir.path().join("recordings/BTC%2FUSD%78.TEST")).unwrap().next().unwrap().unwrap().path();
    let whole = fs::read(&path).unwrap();
    let head = 8 + 2 + id().as_str().len();
    let mut outcomes = [0; 3];
    for at in (head..whole.len()).step_by(5) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        fs::write(&path, &bytes).unwrap();
        let (left, damaged) = all(&tapes);
        let hit = (0..3).find(|n| left == [&events[..n * 100], &events[(n + 1) * 100..]].concat());
        outcomes[hit.expect("exactly one block is missing")] += 1;
        assert!(damaged > 0);
    }
    assert!(outcomes.iter().all(|count| *count > 10), "{outcomes:?}");
}

#[test]
fn old_segments_go_first_and_the_newest_stays() {
    let dir = tempfile::tempdir().unwrap();
    let tapes = Tapes::new(dir.path());
    let folder = dir.path().join("recordings/BTC%2FUSD%78.TEST");
    for (n, part) in hour(300).chunks(100).enumerate() {
        write(&tapes, part);
        if n < 2 {
            // As if it had been full.
            let name = format!("{n:019}.cwt");
            let newest = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).max().unwrap();
            fs::rename(newest, dir.path().join(&name)).unwrap();
        }
    }
    (0..2).for_each(|n| {
        let name = format!("{n:019}.cwt");
        fs::rename(dir.path().join(&name), folder.join(&name)).unwrap();
    });
    assert_eq!(tapes.list().unwrap()[0].segments, 3);
    assert_eq!(all(&tapes).0, hour(300));
    let freed = tapes.retain(tapes.list().unwrap()[0].bytes - 1).unwrap();
    assert!(freed > 0);
    assert_eq!(all(&tapes).0, hour(300)[100..]);
    tapes.retain(0).unwrap();
    assert_eq!(all(&tapes).0, hour(300)[200..], "the newest is still being written");
}

fn event() -> impl Strategy<Value = TapeEvent> {
    let kind = (0..5, any::<[i64; 3]>(), any::<[i128; 2]>(), any::<u64>());
    kind.prop_map(|(kind, [time, a, b], [x, y], id)| match kind {
        0 => TapeEvent::lost(Timestamp::from_nanos(time), id),
        1 => quote(time, a, b, [x, y]),
        2 => quote(time >> 20, a >> 40, a >> 40, [x >> 100, 0]),
        3 => trade(time / 2, a, x, id),
        _ => trade(time >> 30, a >> 50, (x >> 110).abs(), id >> 50),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_events_come_back_as_they_were(events in proptest::collection::vec(event(), 0..300)) {
        let block = encode_block(&events);
        let mut back = Vec::new();
        prop_assert!(decode_block(&block, events.len(), &mut back).is_some());
        prop_assert_eq!(back, events);
    }

    #[test]
    fn any_bytes_are_a_block_or_not(
        events in proptest::collection::vec(event(), 1..100),
        changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..8),
        cut in any::<usize>(),
        count in 0usize..5_000,
    ) {
        let mut block = encode_block(&events);
        for (at, value) in changes {
            let length = block.len();
            block[at % length] = value;
        }
        block.truncate(cut % (block.len() + 1));
        let mut back = Vec::new();
        let _ = decode_block(&block, count, &mut back);
        let _ = decode_block(&block, events.len(), &mut back);
    }
}
