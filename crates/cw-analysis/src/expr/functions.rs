//! Functions that are no indicators.

/// A built-in function as help and completion show it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) signature: &'static str,
    pub(crate) doc: &'static str,
}

pub(crate) const FUNCTIONS: &[Function] = &[
    Function { name: "cross_above", signature: "cross_above(a, b)", doc: "a was at or below b and is above it now" },
    Function { name: "cross_below", signature: "cross_below(a, b)", doc: "a was at or above b and is below it now" },
    Function { name: "crosses", signature: "crosses(a, b)", doc: "a has crossed b in either direction" },
    Function { name: "on", signature: "on(\"1h\", x)", doc: "x on the last closed candle of a higher timeframe" },
    Function { name: "if", signature: "if(condition, yes, no)", doc: "one of two values" },
    Function { name: "abs", signature: "abs(x)", doc: "without its sign" },
    Function { name: "min", signature: "min(a, b, …)", doc: "the smallest" },
    Function { name: "max", signature: "max(a, b, …)", doc: "the largest" },
    Function { name: "sqrt", signature: "sqrt(x)", doc: "square root" },
    Function { name: "log", signature: "log(x)", doc: "natural logarithm" },
    Function { name: "exp", signature: "exp(x)", doc: "e to the power of x" },
    Function {
        name: "pattern",
        signature: "pattern(name)",
        doc: "the signal of a candlestick pattern, −200 to 200; 0 where it is not there",
    },
    Function { name: "change", signature: "change(x, n = 1)", doc: "x − x[n]" },
];

pub(crate) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}
