//! Plays the server's half of SCRAM (RFC 5802, RFC 7677; MongoDB authentication specification).
//!
//! Clients check that the server knows the password, so it has to be found: it is that of some texts
//! (the app's environment, say) with which the client's proof is right. Nothing is kept of it. Names
//! and passwords are not prepared (SASLprep): those outside ASCII must be in that form already.

use crate::base64;
use crate::keyed::Keyed;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// Below this many rounds clients refuse to go on.
const ROUNDS: u32 = 4096;
const SALT: &[u8] = b"rehearsal-played";
/// What is added to the client's number. Nobody relies on its being new.
const NONCE: &str = "rehearsalrehearsalrehear";
/// Texts that are tried, and their length.
const MOST_WORDS: usize = 1000;
const LONGEST: usize = 256;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Hash {
    Sha1,
    Sha256,
}

/// A conversation after its first message.
#[derive(Debug)]
pub(super) struct Scram {
    hash: Hash,
    user: String,
    /// The client's first message without its head, a comma, and the server's first message.
    said: String,
    /// The number of both.
    nonce: String,
}

impl Scram {
    /// Reads the client's first message; gives the server's. None when it is not one.
    pub(super) fn begin(hash: Hash, first: &str) -> Option<(Scram, String)> {
        let mut parts = first.splitn(3, ',');
        let (_, _, bare) = (parts.next()?, parts.next()?, parts.next()?);
        let user = field(bare, "n=")?.replace("=2C", ",").replace("=3D", "=");
        let nonce = format!("{}{NONCE}", field(bare, "r=")?);
        let reply = format!("r={nonce},s={},i={ROUNDS}", base64::encode(SALT));
        let said = format!("{bare},{reply}");
        Some((Scram { hash, user, said, nonce }, reply))
    }

    /// Reads the client's last message; gives the server's, if one of the words is the password.
    pub(super) fn finish(&self, last: &str, words: &[String]) -> Option<String> {
        let (without_proof, proof) = last.rsplit_once(",p=")?;
        if field(without_proof, "r=")? != self.nonce {
            return None;
        }
        let (proof, said) = (base64::decode(proof)?, format!("{},{without_proof}", self.said));
        let signature = passwords(words).find_map(|password| match self.hash {
            Hash::Sha1 => {
                let digest = Md5::digest(format!("{}:mongo:{password}", self.user));
                prove::<Sha1>(base64::hex(&digest).as_bytes(), &proof, said.as_bytes())
            }
            Hash::Sha256 => prove::<Sha256>(password.as_bytes(), &proof, said.as_bytes()),
        })?;
        Some(format!("v={}", base64::encode(&signature)))
    }
}

fn field<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    message.split(',').find_map(|part| part.strip_prefix(name))
}

/// The server's signature, if the proof is that of the password.
fn prove<D: Digest + Clone>(password: &[u8], proof: &[u8], said: &[u8]) -> Option<Vec<u8>> {
    let salted = Keyed::<D>::stretched(password, SALT, ROUNDS);
    let client_key = Keyed::<D>::new(&salted).of(b"Client Key");
    let signature = Keyed::<D>::new(&D::digest(&client_key)).of(said);
    if signature.len() != proof.len()
        || !client_key.iter().zip(&signature).map(|(a, b)| a ^ b).eq(proof.iter().copied())
    {
        return None;
    }
    let server_key = Keyed::<D>::new(&salted).of(b"Server Key");
    Some(Keyed::<D>::new(&server_key).of(said))
}

/// What may be a password: those in addresses first, then the texts themselves.
fn passwords(words: &[String]) -> impl Iterator<Item = String> {
    let words = || words.iter().take(MOST_WORDS);
    let within = words().filter_map(|word| within_address(word));
    let own = words().filter(|word| word.len() <= LONGEST).cloned();
    within.chain(own)
}

/// The password of an address: `mongodb://user:password@host`.
fn within_address(word: &str) -> Option<String> {
    let (_, behind) = word.split_once("://")?;
    let (user, _) = behind.split_once('@')?;
    let (_, password) = user.split_once(':')?;
    (password.len() <= LONGEST).then(|| decoded(password))?
}

/// A text without its percent-encoding (RFC 3986, section 2.1).
fn decoded(text: &str) -> Option<String> {
    let (mut out, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((byte, behind)) = rest.split_first() {
        match (byte, behind.first_chunk::<2>()) {
            (b'%', Some(digits)) => {
                let [byte] = base64::from_hex::<1>(std::str::from_utf8(digits).ok()?)?;
                out.push(byte);
                rest = &behind[2..];
            }
            _ => {
                out.push(*byte);
                rest = behind;
            }
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a client says last that has a password, and what it expects then.
    fn client<D: Digest + Clone>(password: &[u8], bare: &str, reply: &str) -> (String, String) {
        let nonce = field(reply, "r=").unwrap();
        let without_proof = format!("c=biws,r={nonce}");
        let said = format!("{bare},{reply},{without_proof}");
        let salted = Keyed::<D>::stretched(password, SALT, ROUNDS);
        let key = Keyed::<D>::new(&salted).of(b"Client Key");
        let signature = Keyed::<D>::new(&D::digest(&key)).of(said.as_bytes());
        let proof: Vec<u8> = key.iter().zip(&signature).map(|(a, b)| a ^ b).collect();
        let server = Keyed::<D>::new(&salted).of(b"Server Key");
        let expected = base64::encode(&Keyed::<D>::new(&server).of(said.as_bytes()));
        (format!("{without_proof},p={}", base64::encode(&proof)), format!("v={expected}"))
    }

    #[test]
    fn the_building_blocks_are_those_of_the_standards() {
        // RFC 4231, test case 2, and RFC 2202, test case 2.
        let sha256 = Keyed::<Sha256>::new(b"Jefe").of(b"what do ya want for nothing?");
        assert_eq!(base64::hex(&sha256)[..16], *"5bdcc146bf60754e");
        let sha1 = Keyed::<Sha1>::new(b"Jefe").of(b"what do ya want for nothing?");
        assert_eq!(base64::hex(&sha1)[..16], *"effcdf6ae5eb2fa2");
        let long = Keyed::<Sha256>::new(&[0xaa; 131]);
        let said = long.of(b"Test Using Larger Than Block-Size Key - Hash Key First");
        assert_eq!(base64::hex(&said)[..16], *"60e431591ee0b67f");
    }

    #[test]
    fn the_password_is_found_among_the_words() {
        let bare = "n=a=2Cb,r=abc";
        let words = ["HOME=/", "mongodb://a%2Cb:p%40ss%3Aword@db:27017/x", "other"];
        let words = words.map(str::to_owned);
        for hash in [Hash::Sha1, Hash::Sha256] {
            let (scram, reply) = Scram::begin(hash, &format!("n,,{bare}")).unwrap();
            let (last, expected) = match hash {
                Hash::Sha256 => client::<Sha256>(b"p@ss:word", bare, &reply),
                Hash::Sha1 => {
                    let digest = base64::hex(&Md5::digest("a,b:mongo:p@ss:word"));
                    client::<Sha1>(digest.as_bytes(), bare, &reply)
                }
            };
            assert_eq!(scram.finish(&last, &words), Some(expected));
            assert_eq!(scram.finish(&last, &["p@ss".to_owned()]), None);
            assert_eq!(scram.finish(&last.replace("r=abc", "r=abd"), &words), None);
            assert_eq!(scram.finish(&last.replace(",p=", ",p=AAAA"), &words), None);
        }
        assert!(Scram::begin(Hash::Sha1, "n,,n=a").is_none());
        assert!(Scram::begin(Hash::Sha1, "x").is_none());
    }
}
