//! One TLS configuration for requests and streams: rustls with ring.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;

/// Trusts what the operating system trusts, so that a company's own authority works; on a machine without a trust store,
/// Mozilla's list that comes with the program.
pub(super) fn config(protocols: &[&[u8]]) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = || {
        ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("ring supports the protocol versions that rustls considers safe")
    };
    let mut config = match builder().with_platform_verifier() {
        Ok(verified) => verified.with_no_client_auth(),
        Err(error) => {
            tracing::warn!(target: "venues", %error, "no system trust store; the built-in list is used");
            let mut roots = RootCertStore::empty();
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            builder().with_root_certificates(roots).with_no_client_auth()
        }
    };
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    config
}
