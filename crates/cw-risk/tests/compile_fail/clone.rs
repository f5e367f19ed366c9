fn twice(order: &cw_risk::ApprovedOrder) -> cw_risk::ApprovedOrder {
    order.clone()
}

fn main() {
    let _: fn(&cw_risk::ApprovedOrder) -> cw_risk::ApprovedOrder = twice;
}
