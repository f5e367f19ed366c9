//! Who may call over HTTP: the operator's token, and browser sessions made from one-time pairing codes.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use subtle::ConstantTimeEq as _;
use tokio::time::Instant;

/// Browser sessions kept; the one used longest ago goes first.
const MAX_SESSIONS: usize = 32;
/// Pairing codes that wait to be used.
const MAX_CODES: usize = 8;
const SESSION_IDLE: Duration = Duration::from_hours(12);

/// 256 random bits in hexadecimal.
pub fn random_token() -> String {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        use std::fmt::Write as _;
        write!(text, "{byte:02x}").expect("writing to a String cannot fail");
        text
    })
}

/// The tokens that are valid now.
pub struct Sessions {
    operator: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    codes: Vec<String>,
    /// Token and time of its last use.
    sessions: Vec<(String, Instant)>,
}

/// Which client a valid token belongs to: what the rate limit counts by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Client {
    Operator,
    Session(String),
}

impl Sessions {
    pub fn new(operator_token: String) -> Self {
        Self { operator: operator_token, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A code that can be exchanged for a token once.
    pub fn new_code(&self) -> String {
        let code = random_token()[..32].to_owned();
        let mut state = self.state();
        if state.codes.len() >= MAX_CODES {
            state.codes.remove(0);
        }
        state.codes.push(code.clone());
        code
    }

    /// Exchanges a pairing code for a session's token.
    pub fn pair(&self, code: &str) -> Option<String> {
        let mut state = self.state();
        let at = state.codes.iter().position(|known| same(known, code))?;
        state.codes.remove(at);
        if state.sessions.len() >= MAX_SESSIONS {
            let oldest = (0..state.sessions.len()).min_by_key(|i| state.sessions[*i].1);
            oldest.map(|i| state.sessions.remove(i));
        }
        let token = random_token();
        state.sessions.push((token.clone(), Instant::now()));
        Some(token)
    }

    /// Whose token this is. Takes the same time for every wrong one.
    pub fn client(&self, token: &str) -> Option<Client> {
        let operator = same(&self.operator, token);
        let now = Instant::now();
        let mut state = self.state();
        state.sessions.retain(|(_, used)| now.duration_since(*used) < SESSION_IDLE);
        let mut session = None;
        for (known, used) in &mut state.sessions {
            if same(known, token) {
                *used = now;
                session = Some(Client::Session(known.clone()));
            }
        }
        if operator { Some(Client::Operator) } else { session }
    }
}

fn same(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pairing_code_works_once() {
        let sessions = Sessions::new(random_token());
        let code = sessions.new_code();
        assert_eq!(sessions.pair("wrong"), None);
        let token = sessions.pair(&code).unwrap();
        assert_eq!(sessions.pair(&code), None);
        assert_eq!(sessions.client(&token), Some(Client::Session(token.clone())));
        assert_eq!(sessions.client(""), None);
    }

    #[test]
    fn the_number_of_sessions_is_bounded() {
        let sessions = Sessions::new(random_token());
        let first = sessions.pair(&sessions.new_code()).unwrap();
        for _ in 0..MAX_SESSIONS {
            sessions.pair(&sessions.new_code()).unwrap();
        }
        assert_eq!(sessions.client(&first), None);
    }
}
