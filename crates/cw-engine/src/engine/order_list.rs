//! The orders in memory, found by number.

use std::collections::VecDeque;
use std::ops::Index;

use cw_core::OrderId;
use serde::{Deserialize, Serialize};

use super::OrderState;

/// Orders by ascending number. Numbers are handed out without a gap and the oldest closed orders leave first, so an
/// order mostly stands as many places behind the first one as its number is higher.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct OrderList(VecDeque<Box<OrderState>>);

impl OrderList {
    fn place(&self, id: OrderId) -> Option<usize> {
        let first = self.0.front()?.order.id;
        // Gaps can only move an order forward.
        let last = usize::try_from(id.0.checked_sub(first.0)?).ok()?.min(self.0.len() - 1);
        if self.0[last].order.id == id {
            return Some(last);
        }
        let at = self.0.partition_point(|state| state.order.id < id);
        self.0.get(at).is_some_and(|state| state.order.id == id).then_some(at)
    }
    pub(crate) fn get(&self, id: OrderId) -> Option<&OrderState> {
        self.place(id).map(|at| &*self.0[at])
    }
    pub(crate) fn get_mut(&mut self, id: OrderId) -> Option<&mut OrderState> {
        self.place(id).map(|at| &mut *self.0[at])
    }
    /// Adds the order with the highest number so far.
    pub(crate) fn push(&mut self, state: OrderState) {
        assert!(self.0.back().is_none_or(|last| last.order.id < state.order.id), "order numbers only grow");
        self.0.push_back(Box::new(state));
    }
    pub(crate) fn remove(&mut self, id: OrderId) -> Option<Box<OrderState>> {
        self.place(id).and_then(|at| self.0.remove(at))
    }
    /// Oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &OrderState> {
        self.0.iter().map(|state| &**state)
    }
}

impl Index<OrderId> for OrderList {
    type Output = OrderState;
    fn index(&self, id: OrderId) -> &OrderState {
        self.get(id).expect("open orders are in the list")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(id: u64) -> OrderState {
        let text = format!(
            r#"{{"id":{id},"request":{{"client_order_id":"c","account":"a","instrument":"X.SIM","side":"buy",
            "order_type":"market","qty":"1","limit_price":null,"stop_price":null,"trail_offset":null,
            "time_in_force":"gtc","expire_time":null,"reduce_only":false,"post_only":false,"take_profit":null,
            "stop_loss":null,"actor":"operator","parent":null}},"status":"sent","venue_order_id":null,
            "filled_qty":"0","filled_notional":"0","fees":"0","pending_cancel":false,"reason":null,
            "created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z","caused_by":1}}"#
        );
        OrderState::new(serde_json::from_str(&text).unwrap(), 0, 0)
    }

    #[test]
    fn orders_are_found_whatever_left_before_them() {
        let mut list = OrderList::default();
        for id in 5..40 {
            list.push(order(id));
        }
        for gone in [5, 6, 9, 20, 21, 22, 38] {
            assert_eq!(list.remove(OrderId(gone)).map(|o| o.order.id), Some(OrderId(gone)));
            assert!(list.remove(OrderId(gone)).is_none());
        }
        let left: Vec<u64> = list.iter().map(|o| o.order.id.0).collect();
        for id in 0..60 {
            let found = list.get(OrderId(id)).map(|o| o.order.id.0);
            assert_eq!(found, left.contains(&id).then_some(id));
            assert_eq!(list.get_mut(OrderId(id)).map(|o| o.order.id.0), found);
        }
    }
}
