//! Where a venue is, as the configuration says and we accept.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

/// Why an address was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{url}: {problem}")]
pub struct UrlError {
    pub url: String,
    pub problem: &'static str,
}

/// The root of a venue's addresses: `https` or `wss`, or their plain forms on this machine alone.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// For requests: `https://…`.
    pub fn http(text: &str) -> Result<Self, UrlError> {
        Self::parse(text, "https", "http")
    }

    /// For WebSockets: `wss://…`.
    pub fn socket(text: &str) -> Result<Self, UrlError> {
        Self::parse(text, "wss", "ws")
    }

    fn parse(text: &str, secure: &str, plain: &str) -> Result<Self, UrlError> {
        let refuse = |problem| UrlError { url: text.chars().take(120).collect(), problem };
        let url = Url::parse(text).map_err(|_| refuse("is not an address"))?;
        let here = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
            Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
            None => return Err(refuse("names no host")),
        };
        if url.scheme() == plain && !here {
            return Err(refuse("is not encrypted; only this machine may be called so"));
        }
        if url.scheme() != secure && url.scheme() != plain {
            return Err(refuse("must begin with https:// (wss:// for streams)"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("must not contain a name or password"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refuse("must end with its path"));
        }
        Ok(Self(url))
    }

    /// The address of `path`, which begins with `/` and whose parts are encoded already (see [`segment`]).
    pub fn join(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        let whole = format!("{}{path}", self.0.path().trim_end_matches('/'));
        url.set_path(&whole);
        url
    }

    /// Whether an address that a venue sent (a next page) lies at this venue.
    pub fn has_host_of(&self, other: &Url) -> bool {
        self.0.host() == other.host() && self.0.port_or_known_default() == other.port_or_known_default()
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

/// One part of a path, with everything encoded that is not a letter, a digit or one of `-._~`.
pub fn segment(text: &str) -> String {
    use fmt::Write as _;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(byte as char);
        } else {
            write!(encoded, "%{byte:02X}").expect("writing to a string cannot fail");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_encrypted_addresses_leave_this_machine() {
        for good in ["https://data.alpaca.markets", "http://127.0.0.1:9/x", "http://localhost:1", "http://[::1]:2/"] {
            assert!(BaseUrl::http(good).is_ok(), "{good}");
        }
        for bad in [
            "http://data.alpaca.markets",
            "http://localhost.evil.example",
            "http://10.0.0.1",
            "http://127.0.0.1.nip.io",
            "ftp://127.0.0.1",
            "wss://x.example",
            "https://user:pw@x.example",
            "https://x.example/?a=1",
            "https://x.example/#a",
            "file:///etc/passwd",
            "x.example",
            "",
        ] {
            assert!(BaseUrl::http(bad).is_err(), "{bad}");
        }
        assert!(BaseUrl::socket("wss://stream.data.alpaca.markets").is_ok());
        assert!(BaseUrl::socket("ws://127.0.0.1:1").is_ok());
        assert!(BaseUrl::socket("ws://stream.data.alpaca.markets").is_err());
        assert!(BaseUrl::socket("https://x.example").is_err());
    }

    #[test]
    fn paths_are_joined_below_the_base() {
        let base = BaseUrl::http("https://x.example/v3/").unwrap();
        assert_eq!(base.join("/accounts/1").as_str(), "https://x.example/v3/accounts/1");
        let symbol = segment("BTC/USD ^é");
        assert_eq!(base.join(&format!("/{symbol}")).as_str(), "https://x.example/v3/BTC%2FUSD%20%5E%C3%A9");
    }
}
