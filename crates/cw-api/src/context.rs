//! Who calls, and what a command may use to answer.

use std::fmt;
use std::sync::Arc;

use cw_core::{Actor, Surface};

use crate::access::Access;
use crate::services::Services;

/// Names one call in the answer, the log, the audit and the journal.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TraceId(Arc<str>);

impl TraceId {
    /// A new random one: 32 hexadecimal digits, as W3C trace ids are.
    pub fn random() -> Self {
        let mut bytes = [0u8; 16];
        getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
        let mut text = String::with_capacity(32);
        for byte in bytes {
            use fmt::Write as _;
            write!(text, "{byte:02x}").expect("writing to a String cannot fail");
        }
        Self(text.into())
    }
    /// One that a caller brought along; `None` unless it is 8 to 64 letters, digits or `-`.
    pub fn from_caller(text: &str) -> Option<Self> {
        let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        ((8..=64).contains(&text.len()) && plain).then(|| Self(text.into()))
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who makes a call and by which door.
#[derive(Debug, Clone)]
pub struct Caller {
    pub access: Access,
    pub actor: Actor,
    pub surface: Surface,
    pub trace_id: TraceId,
}

impl Caller {
    /// The human at this machine, with all rights.
    pub fn operator(surface: Surface) -> Self {
        Self { access: Access::Admin, actor: Actor::Operator, surface, trace_id: TraceId::random() }
    }
    /// A program on another's behalf. What it may is for its surface to say; reading is the default.
    pub fn agent(name: impl Into<String>, access: Access, surface: Surface) -> Self {
        Self { access, actor: Actor::Agent(name.into()), surface, trace_id: TraceId::random() }
    }
}

/// What a command runs with.
#[derive(Clone)]
pub struct Context {
    pub caller: Caller,
    pub services: Arc<Services>,
}

impl Context {
    pub fn new(caller: Caller, services: Arc<Services>) -> Self {
        Self { caller, services }
    }
    /// The same caller's next call, under a trace id of its own.
    #[must_use]
    pub fn next_call(&self) -> Self {
        let caller = Caller { trace_id: TraceId::random(), ..self.caller.clone() };
        Self { caller, services: Arc::clone(&self.services) }
    }
}
