//! No other crate can make an order that a broker accepts.

#[test]
fn approved_orders_cannot_be_built_copied_or_read_from_outside() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
