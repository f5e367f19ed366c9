//! JSON Schemas of the words that are written as text. Behind the feature `schema`, which only the contract crate needs.

/// Says that a type is written as text of a certain shape.
macro_rules! text_schema {
    ($name:ident, $description:expr, $pattern:expr) => {
        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn inline_schema() -> bool {
                true
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "description": $description, "pattern": $pattern })
            }
        }
    };
}
pub(crate) use text_schema;
