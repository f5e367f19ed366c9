//! The venue's side: a paper broker behind a bad line, and the records that the engine is held against.

use std::collections::BTreeMap;

use cw_core::{
    Amount, ClientOrderId, Fill, Instrument, NewOrder, Position, Price, Quantity, Quote, Ratio, Timestamp, VenueOrderId,
};
use cw_execution::{FillModel, PaperBroker, VenueReport};
use cw_risk::{ApprovedOrder, Book, Limits, OrderGate};

use super::{Faults, Mutant, Rng};

/// The longest that a request or a report is on its way, in steps.
pub const LONGEST_WAY: u64 = 12;

pub enum Request {
    Submit { order: ApprovedOrder, answer: bool },
    Cancel(ClientOrderId),
    Amend(ClientOrderId, Quantity),
}

/// What the venue's books say of one order.
pub struct Known {
    pub order: NewOrder,
    pub venue_order_id: VenueOrderId,
    pub qty: Quantity,
    pub fills: Vec<Fill>,
    pub end: Option<VenueReport>,
}

pub struct Venue {
    pub broker: PaperBroker,
    pub instrument: Instrument,
    pub known: BTreeMap<ClientOrderId, Known>,
    pub position: Position,
    pub cash: Amount,
    pub repeated: u64,
    requests: Vec<(u64, Request)>,
    reports: Vec<(u64, u64, VenueReport)>,
    /// Orders under way whose answer will not be heard.
    silent: Vec<ClientOrderId>,
    orders: BTreeMap<ClientOrderId, NewOrder>,
    next: u64,
    mutant: Mutant,
}

impl Venue {
    pub fn new(instrument: Instrument, cash: Amount, seed: u64, mutant: Mutant) -> Self {
        let model = FillModel { reject_per_million: 20_000, seed, ..FillModel::default() };
        Self {
            broker: PaperBroker::new(model, "V"),
            instrument,
            known: BTreeMap::new(),
            position: Position::default(),
            cash,
            repeated: 0,
            requests: Vec::new(),
            reports: Vec::new(),
            silent: Vec::new(),
            orders: BTreeMap::new(),
            next: 0,
            mutant,
        }
    }

    /// A request leaves our process.
    pub fn send(&mut self, step: u64, request: Request, rng: &mut Rng, faults: &Faults) {
        let way = if rng.chance(faults.delayed) { rng.below(LONGEST_WAY) } else { 0 };
        let lost =
            |id: &ClientOrderId| VenueReport::ReplyLost { client_order_id: id.clone(), reason: "timeout".into() };
        match request {
            Request::Submit { order, .. } => {
                let id = order.order().client_order_id.clone();
                if rng.chance(faults.lost_before) {
                    self.lose(step, lost(&id), Some(order), rng, faults);
                } else if rng.chance(faults.lost_after) {
                    let again = (self.mutant == Mutant::BlindResend).then(|| self.copy(order.order()));
                    self.requests.push((step + way, Request::Submit { order, answer: false }));
                    self.lose(step, lost(&id), again, rng, faults);
                } else {
                    self.requests.push((step + way, Request::Submit { order, answer: true }));
                }
            }
            other if rng.chance(faults.lost_request) => drop(other),
            other => self.requests.push((step + way, other)),
        }
    }

    fn lose(&mut self, step: u64, report: VenueReport, order: Option<ApprovedOrder>, rng: &mut Rng, faults: &Faults) {
        match (self.mutant, order) {
            (Mutant::BlindResend, Some(order)) => {
                self.requests.push((step + 1, Request::Submit { order, answer: true }));
            }
            (Mutant::LostIsRejected, _) => {
                let client_order_id = report.client_order_id().clone();
                self.report(step, VenueReport::Rejected { client_order_id, reason: "503".into() }, rng, faults);
            }
            _ => self.report(step, report, rng, faults),
        }
    }

    fn copy(&self, order: &NewOrder) -> ApprovedOrder {
        let book = Book {
            instrument: &self.instrument,
            reference_price: None,
            quote_age_ns: 0,
            conversion: Ratio::ONE,
            position: Quantity::from_raw(-order.side.sign() * 1_000_000_000_000),
            open_same_side: Quantity::ZERO,
            equity: Amount::MAX,
            buying_power: Amount::MAX,
            gross_exposure: Amount::ZERO,
            open_orders: 0,
            day_result: Amount::ZERO,
            peak_equity: Amount::ZERO,
            unresolved: false,
            halted: false,
        };
        OrderGate::new(Limits::unlimited()).check(order.clone(), &book, Timestamp::EPOCH).expect("it passed before")
    }

    /// The market moves, and requests arrive.
    pub fn act(&mut self, step: u64, now: Timestamp, quote: &Quote, rng: &mut Rng, faults: &Faults) {
        let mut out = Vec::new();
        let id = self.instrument.id.clone();
        self.broker.on_quote(&id, quote, now, &mut out);
        self.absorb(step, &mut out, rng, faults);
        let mut waiting = Vec::new();
        for (at, request) in std::mem::take(&mut self.requests) {
            if at > step {
                waiting.push((at, request));
                continue;
            }
            match request {
                Request::Submit { order, answer } => {
                    let client_order_id = order.order().client_order_id.clone();
                    assert!(!self.orders.contains_key(&client_order_id), "{client_order_id} reached the venue twice");
                    self.orders.insert(client_order_id.clone(), order.order().clone());
                    if !answer {
                        self.silent.push(client_order_id);
                    }
                    self.broker.submit(order, &self.instrument, now, &mut out);
                }
                Request::Cancel(id) => self.broker.cancel(&id, &mut out),
                Request::Amend(id, qty) => self.broker.amend_quantity(&id, qty, &mut out),
            }
            self.absorb(step, &mut out, rng, faults);
        }
        self.requests.extend(waiting);
    }

    /// Writes the venue's books, and sends the report on its way.
    fn absorb(&mut self, step: u64, out: &mut Vec<VenueReport>, rng: &mut Rng, faults: &Faults) {
        for report in out.drain(..) {
            let id = report.client_order_id().clone();
            match &report {
                VenueReport::Accepted { venue_order_id, .. } => {
                    let order = self.orders[&id].clone();
                    let known = Known {
                        qty: order.qty,
                        order,
                        venue_order_id: venue_order_id.clone(),
                        fills: Vec::new(),
                        end: None,
                    };
                    assert!(self.known.insert(id.clone(), known).is_none(), "{id} was accepted twice");
                    if self.silent.contains(&id) {
                        continue;
                    }
                }
                VenueReport::Rejected { .. } if self.silent.contains(&id) => continue,
                VenueReport::Filled { fill, .. } => self.book(&id, fill),
                VenueReport::Amended { qty, .. } => self.known.get_mut(&id).expect("accepted").qty = *qty,
                VenueReport::Canceled { .. } | VenueReport::Expired { .. } => {
                    self.known.get_mut(&id).expect("accepted").end = Some(report.clone());
                }
                _ => {}
            }
            self.report(step, report, rng, faults);
        }
    }

    fn book(&mut self, id: &ClientOrderId, fill: &Fill) {
        let known = self.known.get_mut(id).expect("only accepted orders fill");
        let order = &known.order;
        let held = self.position.signed_qty.raw();
        if order.reduce_only {
            let against = -order.side.sign() * held;
            assert!(against >= fill.qty.raw(), "reduce-only {id} opened a position");
        }
        known.fills.push(fill.clone());
        let filled: i128 = known.fills.iter().map(|f| f.qty.raw()).sum();
        assert!(filled <= known.qty.raw(), "{id} filled beyond its quantity");
        let change = self.position.apply(order.side, fill.qty, fill.price, fill.fee).expect("small figures");
        self.cash =
            self.cash.checked_add(change.realized).and_then(|c| c.checked_sub(fill.fee)).expect("small figures");
    }

    fn report(&mut self, step: u64, report: VenueReport, rng: &mut Rng, faults: &Faults) {
        let times = 1 + u64::from(rng.chance(faults.repeated)) * (1 + rng.below(3));
        self.repeated += times - 1;
        for n in 0..times {
            let mut at = step + if rng.chance(faults.delayed) { rng.below(LONGEST_WAY) } else { 0 };
            let mut report = report.clone();
            if let VenueReport::Filled { fill, .. } = &mut report
                && self.mutant == Mutant::NoFillDedupe
                && n > 0
            {
                fill.venue_fill_id = format!("{}-{n}", fill.venue_fill_id);
            }
            if matches!(report, VenueReport::Amended { .. }) {
                // The venue numbers an order's changes; an adapter does not let them overtake one another.
                let newest = self.reports.iter().filter(|(_, _, r)| {
                    matches!(r, VenueReport::Amended { .. }) && r.client_order_id() == report.client_order_id()
                });
                at = newest.map(|(at, ..)| *at).max().map_or(at, |before| before.max(at));
            }
            self.next += 1;
            self.reports.push((at, self.next, report));
        }
    }

    /// Reports that arrive now.
    pub fn deliver(&mut self, step: u64) -> Vec<VenueReport> {
        let (mut due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.reports).into_iter().partition(|r| r.0 <= step);
        self.reports = later;
        due.sort_by_key(|(at, n, _)| (*at, *n));
        due.into_iter().map(|(_, _, report)| report).collect()
    }

    /// What the venue says when it is asked for an order; empty when it does not know it.
    pub fn ask(&mut self, id: &ClientOrderId) -> Vec<VenueReport> {
        let Some(known) = self.known.get(id) else { return Vec::new() };
        // A newer picture than what is still on its way.
        self.reports.retain(|(_, _, r)| !(matches!(r, VenueReport::Amended { .. }) && r.client_order_id() == id));
        let client_order_id = id.clone();
        let mut answer = vec![VenueReport::Accepted {
            client_order_id: client_order_id.clone(),
            venue_order_id: known.venue_order_id.clone(),
        }];
        if known.qty != known.order.qty {
            answer.push(VenueReport::Amended { client_order_id: client_order_id.clone(), qty: known.qty });
        }
        for fill in &known.fills {
            answer.push(VenueReport::Filled { client_order_id: client_order_id.clone(), fill: fill.clone() });
        }
        answer.extend(known.end.clone());
        answer
    }

    /// Our process died: what was on its way to it is gone.
    pub fn disconnect(&mut self) {
        self.reports.clear();
    }

    pub fn is_quiet(&self) -> bool {
        self.requests.is_empty() && self.reports.is_empty()
    }

    /// Orders that rest at the venue, with what is left of them.
    pub fn open(&self) -> BTreeMap<ClientOrderId, Quantity> {
        let mut open = BTreeMap::new();
        for (id, known) in &self.known {
            if self.broker.knows(id) {
                let filled: i128 = known.fills.iter().map(|f| f.qty.raw()).sum();
                open.insert(id.clone(), Quantity::from_raw(known.qty.raw() - filled));
            }
        }
        open
    }
}

pub fn quote(price: Price, now: Timestamp, bid_qty: Quantity, ask_qty: Quantity) -> Quote {
    let tick = 10_000_000;
    Quote {
        event_time: now,
        bid: Price::from_raw(price.raw() - tick),
        ask: Price::from_raw(price.raw() + tick),
        bid_qty,
        ask_qty,
    }
}
