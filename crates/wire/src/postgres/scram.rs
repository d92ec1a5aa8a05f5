//! The client's half of SCRAM-SHA-256 (RFC 5802, RFC 7677; PostgreSQL documentation, "SASL
//! Authentication"), without binding to a certificate.
//!
//! Passwords are not prepared (SASLprep): those outside ASCII must be in that form already.

use crate::base64;
use crate::keyed::Keyed;
use rehearsal_model::Moment;
use sha2::{Digest, Sha256};

/// More rounds than that are no server's but somebody's who wants our time.
const MOST_ROUNDS: u32 = 1_000_000;

/// A conversation. Shows no password.
pub(super) struct Scram {
    password: Vec<u8>,
    nonce: String,
    /// What the server will prove its knowledge of the password by.
    expected: Option<String>,
}

impl std::fmt::Debug for Scram {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scram").finish_non_exhaustive()
    }
}

impl Scram {
    /// Begins; gives the first message. Only who knows the password can tell the number of a moment.
    pub(super) fn begin(password: &[u8], now: Moment) -> (Scram, String) {
        let number = Keyed::<Sha256>::new(password).of(&now.0.to_be_bytes());
        let nonce = base64::encode(&number[..18]);
        let first = format!("n,,n=,r={nonce}");
        (Scram { password: password.to_vec(), nonce, expected: None }, first)
    }

    /// What to say to the server's first message.
    pub(super) fn reply(&mut self, said: &[u8]) -> Result<Vec<u8>, &'static str> {
        let wrong = "a challenge that cannot be answered";
        let said = std::str::from_utf8(said).map_err(|_| wrong)?;
        let field =
            |name: &str| said.split(',').find_map(|part| part.strip_prefix(name)).ok_or(wrong);
        let (nonce, salt) = (field("r=")?, base64::decode(field("s=")?).ok_or(wrong)?);
        let rounds = field("i=")?.parse().ok().filter(|rounds| (1..=MOST_ROUNDS).contains(rounds));
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err(wrong);
        }
        let salted = Keyed::<Sha256>::stretched(&self.password, &salt, rounds.ok_or(wrong)?);
        let last = format!("c=biws,r={nonce}");
        let all = format!("n=,r={},{said},{last}", self.nonce);
        let key = Keyed::<Sha256>::new(&salted).of(b"Client Key");
        let signature = Keyed::<Sha256>::new(&Sha256::digest(&key)).of(all.as_bytes());
        let proof: Vec<u8> = key.iter().zip(&signature).map(|(a, b)| a ^ b).collect();
        let server = Keyed::<Sha256>::new(&salted).of(b"Server Key");
        let expected = Keyed::<Sha256>::new(&server).of(all.as_bytes());
        self.expected = Some(format!("v={}", base64::encode(&expected)));
        Ok(format!("{last},p={}", base64::encode(&proof)).into_bytes())
    }

    /// Whether the server knows the password, by its last message.
    pub(super) fn proves(&self, said: &[u8]) -> bool {
        self.expected.as_ref().is_some_and(|expected| expected.as_bytes() == said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proof_is_that_of_the_standard() {
        // RFC 7677, section 3, but for the name of the user, which PostgreSQL leaves out.
        let (mut scram, first) = Scram::begin(b"pencil", Moment(1));
        assert_eq!(first, format!("n,,n=,r={}", scram.nonce));
        scram.nonce = "rOprNGfwEbeRWgbNEkqO".to_owned();
        let server = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let reply = String::from_utf8(scram.reply(server.as_bytes()).unwrap()).unwrap();
        assert!(
            reply.starts_with("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=")
        );
        assert!(!scram.proves(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
        let expected = scram.expected.clone().unwrap();
        assert!(scram.proves(expected.as_bytes()));
    }

    #[test]
    fn what_a_server_says_wrong_is_refused() {
        for said in ["", "r=x,s=AA==,i=4096", "r=other,s=,i=0", "r=ab,s=AA==,i=99999999"] {
            let (mut scram, _) = Scram::begin(b"word", Moment(1));
            let said = said.replace("r=x", &format!("r={}", scram.nonce));
            scram.reply(said.as_bytes()).unwrap_err();
            assert!(!scram.proves(b"v="));
        }
    }
}
