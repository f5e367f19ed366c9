//! The UI that is built into the program.

use bytes::Bytes;
use cw_server::ui::UiAssets;

const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/ui.rs"));

/// The built-in files.
pub struct Bundle;

impl Bundle {
    /// The UI, unless the program was built without it.
    pub fn get() -> Option<Self> {
        (!FILES.is_empty()).then_some(Self)
    }
}

impl UiAssets for Bundle {
    fn get(&self, path: &str) -> Option<Bytes> {
        // Sorted by name at build time.
        let index = FILES.binary_search_by_key(&path, |(name, _)| name).ok()?;
        Some(Bytes::from_static(FILES[index].1))
    }
}
