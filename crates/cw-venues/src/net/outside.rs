//! Text that others wrote, made harmless: plain, on one line, of limited length. Whoever shows it shows it as text, and
//! whoever gives it to a model says that it is data.

use url::Url;

/// What only counts readers, in an address's query.
const COUNTERS: [&str; 12] = [
    "fbclid",
    "gclid",
    "dclid",
    "msclkid",
    "mc_cid",
    "mc_eid",
    "cmpid",
    "igshid",
    "guccounter",
    "guce_referrer",
    "guce_referrer_sig",
    "ocid",
];
const LONGEST_URL: usize = 2_000;

/// Plain text of at most `most` characters: without markup, control characters and those that turn or hide text, with
/// single spaces. Making it plain again changes nothing.
pub fn plain(text: &str, most: usize) -> String {
    // Nobody's summary is longer; what is cut here could not be shown.
    let head: String = text.chars().take(most.saturating_mul(8).saturating_add(1_000)).collect();
    let mut now = visible(&head);
    // Markup inside of entities inside of markup comes out in turns; each turn makes the text shorter.
    loop {
        let next = visible(&entities(&untagged(&now)));
        if next == now {
            break;
        }
        now = next;
    }
    if now.chars().count() <= most {
        return now;
    }
    let cut: String = now.chars().take(most.saturating_sub(1)).collect();
    // A cut can tear nothing open: what is left of a tag has no bracket.
    format!("{}…", cut.trim_end())
}

/// Without characters that are not seen, and with single spaces between words.
fn visible(text: &str) -> String {
    let hidden = |c: char| {
        (c.is_control() && !c.is_whitespace())
            || matches!(c,
                '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
                | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
                | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
    };
    let kept: String = text.chars().filter(|c| !hidden(*c)).collect();
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Without tags, and without what stands inside of scripts and styles. A bracket that begins no tag stays: "a < b".
fn untagged(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.find('<') {
        kept.push_str(&rest[..place]);
        rest = &rest[place..];
        let begins = rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'));
        if !begins {
            kept.push('<');
            rest = &rest[1..];
            continue;
        }
        let Some(end) = rest.find('>') else {
            // It is never closed: the bracket alone goes.
            rest = &rest[1..];
            continue;
        };
        let tag = rest[1..end].to_ascii_lowercase();
        rest = &rest[end + 1..];
        for silent in ["script", "style"] {
            if tag.strip_prefix(silent).is_some_and(|more| more.is_empty() || more.starts_with([' ', '/'])) {
                let lower = rest.to_ascii_lowercase();
                rest = lower.find(&format!("</{silent}")).map_or("", |end| &rest[end..]);
            }
        }
        // Words on both sides of a break are two words; emphasis may end within one.
        if !["b", "i", "em", "strong"].contains(&tag.trim_start_matches('/')) {
            kept.push(' ');
        }
    }
    kept.push_str(rest);
    kept
}

/// The characters that entities stand for.
fn entities(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.find('&') {
        kept.push_str(&rest[..place]);
        rest = &rest[place..];
        let end = rest.bytes().take(12).position(|byte| byte == b';');
        if let Some((end, letter)) = end.and_then(|end| Some((end, entity(&rest[1..end])?))) {
            kept.push(letter);
            rest = &rest[end + 1..];
        } else {
            kept.push('&');
            rest = &rest[1..];
        }
    }
    kept.push_str(rest);
    kept
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let hex = number.strip_prefix(['x', 'X']);
        let code = hex.map_or_else(|| number.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok())?;
        return char::from_u32(code);
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "ndash" => '–',
        "mdash" => '—',
        "lsquo" => '‘',
        "rsquo" => '’',
        "ldquo" => '“',
        "rdquo" => '”',
        "hellip" => '…',
        "euro" => '€',
        "pound" => '£',
        "copy" => '©',
        "reg" => '®',
        "trade" => '™',
        _ => return None,
    })
}

/// An address as it is shown and compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Without its fragment and what only counts readers.
    pub url: String,
    /// Without `www.`.
    pub host: String,
    /// The same for addresses that lead to the same page: 32 hexadecimal digits.
    pub id: String,
}

/// Reads an address; `None` where it is none of a web page.
pub fn address(text: &str) -> Option<Address> {
    let mut url = Url::parse(text.trim()).ok()?;
    if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    let host = url.host_str()?.trim_end_matches('.').to_owned();
    let host = host.strip_prefix("www.").unwrap_or(&host).to_owned();
    url.set_fragment(None);
    let counts = |name: &str| name.starts_with("utm_") || COUNTERS.contains(&name);
    let query: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| !counts(&name.to_ascii_lowercase()))
        .map(|(n, v)| (n.into(), v.into()))
        .collect();
    if query.is_empty() {
        url.set_query(None);
    } else {
        url.query_pairs_mut().clear().extend_pairs(&query);
    }
    if url.as_str().len() > LONGEST_URL || host.is_empty() {
        return None;
    }
    let mut same = query;
    same.sort();
    let mut hasher = blake3::Hasher::new();
    for part in [host.as_str(), url.path().trim_end_matches('/')] {
        hasher.update(part.as_bytes()).update(b"\n");
    }
    for (name, value) in &same {
        hasher.update(name.as_bytes()).update(b"=").update(value.as_bytes()).update(b"\n");
    }
    let id = hasher.finalize().to_hex()[..32].to_owned();
    Some(Address { url: url.into(), host, id })
}

/// A symbol that a provider names, as items carry it; `None` where it cannot be one.
pub fn symbol(text: &str) -> Option<String> {
    let upper = text.trim().to_ascii_uppercase();
    let plain = upper.replace('/', "");
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-.^=:".contains(&b);
    ((1..=20).contains(&plain.len()) && plain.bytes().all(allowed)).then_some(plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_loses_markup_and_keeps_words() {
        for (text, expected) in [
            ("<strong>Apple</strong>&#x27;s sales &amp; <b>profit</b>s", "Apple's sales & profits"),
            ("one<br/>two<p>three</p>", "one two three"),
            ("a < b and c > d, 3<4", "a < b and c > d, 3<4"),
            ("&lt;script&gt;alert(1)&lt;/script&gt;rest", "rest"),
            ("&amp;lt;img src=x onerror=alert(1)&amp;gt;", ""),
            ("<<b>script>x</script>y", ""),
            ("<script", "script"),
            ("<!-- hidden -->seen<style>p{}</style>", "seen"),
            ("line\u{0}\u{1b}[31mred\r\n\ttwo\u{202e}txet", "line[31mred twotxet"),
            ("ig\u{200b}nore \u{e0041}this", "ignore this"),
            ("AT&T rises 3 &percnt; & more; 5&", "AT&T rises 3 &percnt; & more; 5&"),
        ] {
            assert_eq!(plain(text, 100), expected, "{text:?}");
        }
        assert_eq!(plain("abcdef ghi", 8), "abcdef…");
        assert_eq!(plain("äöüäöü", 3), "äö…");
    }

    #[test]
    fn addresses_that_lead_to_one_page_are_one() {
        let id = |text: &str| address(text).map(|address| address.id);
        let first = address("https://www.Example.com/News/1/?utm_source=x&b=2&a=1#top").unwrap();
        assert_eq!(first.url, "https://www.example.com/News/1/?b=2&a=1");
        assert_eq!(first.host, "example.com");
        for same in ["http://example.com/News/1?a=1&b=2", "https://example.com:443/News/1?b=2&gclid=9&a=1"] {
            assert_eq!(id(same), Some(first.id.clone()), "{same}");
        }
        for other in ["https://example.com/news/1?a=1&b=2", "https://example.com/News/1?a=1"] {
            assert_ne!(id(other), Some(first.id.clone()), "{other}");
        }
        for bad in ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "https://u:p@x.example/", "x", ""]
        {
            assert_eq!(id(bad), None, "{bad}");
        }
        assert_eq!(id(&format!("https://x.example/{}", "a".repeat(3_000))), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn nothing_gets_through(text in "(<|>|&|;|/|!|lt|gt|amp|#x3c|#60|script|style|b| |[a-z]|\\PC|\u{202e}|\u{0}){0,40}", most in 1usize..60) {
            let made = plain(&text, most);
            prop_assert!(made.chars().count() <= most);
            prop_assert_eq!(plain(&made, most), made.clone());
            let tag = made.char_indices().any(|(place, c)| {
                c == '<' && made[place + 1..].starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'))
            });
            prop_assert!(!tag, "{:?} of {:?}", made, text);
            let hidden = made.chars().any(|c| c.is_control() || c == '\u{202e}');
            prop_assert!(!hidden);
        }

        #[test]
        fn any_address_is_read_or_refused(text in "(https?://)?[a-z.:@/?&=#%]{0,30}") {
            if let Some(read) = address(&text) {
                prop_assert_eq!(address(&read.url), Some(read));
            }
        }
    }
}
