//! What Brave sends, as it sends it.

use serde::Deserialize;
use serde_json::value::RawValue;

/// `GET /res/v1/news/search`.
#[derive(Debug, Deserialize)]
pub(super) struct Answer<'a> {
    /// Absent when there is nothing.
    #[serde(borrow, default)]
    pub results: Option<Vec<&'a RawValue>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Found {
    pub title: String,
    pub url: String,
    #[serde(default)]
    pub description: Option<String>,
    /// "2 hours ago"
    #[serde(default)]
    pub age: Option<String>,
    /// With or without a zone.
    #[serde(default)]
    pub page_age: Option<String>,
}
