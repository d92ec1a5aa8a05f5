//! Whether a row of letters could be words that people write, or must have been drawn at random: by the
//! letters that follow each other. Words are never looked up.

/// Behind each letter from `a` on, those that follow it in ordinary English words and names. About half
/// of all pairs are here; of the pairs in a text that people wrote nearly all.
const FOLLOWERS: [&str; 26] = [
    "bcdfgiklmnprstuvwy",
    "abeiloruysbt",
    "acehiklortuys",
    "adegilorsuy",
    "abcdefgilmnopqrstuvwxy",
    "aefilortuy",
    "aeghilnorsuty",
    "aeioruty",
    "abcdefgklmnoprstvxz",
    "aeous",
    "aeilnosy",
    "adefiklmopstuvy",
    "abeimnopsuy",
    "acdefgiknostuvy",
    "abcdefgiklmnoprstuvwxy",
    "aehiloprstuy",
    "ul",
    "abcdefgiklmnoprstuvy",
    "acehiklmnopqstuwy",
    "acehilmorstuwyp",
    "abcdegilmnoprst",
    "aeio",
    "aehilnors",
    "aceimopty",
    "aceilmnopst",
    "aeioz",
];
/// With fewer pairs than these nothing can be said.
const FEWEST: usize = 8;

/// Whether three quarters of the pairs are such as words have. A capital behind a small letter begins
/// another word, and so does what is no letter.
pub(crate) fn read_as_words(text: &str) -> bool {
    let (mut pairs, mut usual) = (0, 0);
    for pair in text.as_bytes().windows(2) {
        let [one, other] = [pair[0], pair[1]];
        let begins = one.is_ascii_lowercase() && other.is_ascii_uppercase();
        if begins || !one.is_ascii_alphabetic() || !other.is_ascii_alphabetic() {
            continue;
        }
        let followers = FOLLOWERS[usize::from(one.to_ascii_lowercase() - b'a')];
        pairs += 1;
        usual += usize::from(followers.as_bytes().contains(&other.to_ascii_lowercase()));
    }
    pairs < FEWEST || usual * 4 >= pairs * 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_reads_as_words() {
        for text in [
            "InternalServerErrorException",
            "OrderConfirmationRequested",
            "getIdOfTheUserInDatabase",
            "HTTPSConnectionPoolClosed",
            "awaitingPaymentConfirmation",
            "PaymentIntentRequiresAction",
            "MyFancyXmlHttpRequestParser",
            "Europe_Berlin_Brandenburg",
            "ConstraintViolationException",
            "insufficientFundsOnAccount",
            "kubernetesSchedulingThrottled",
            "warehouseQuantityBelowThreshold",
            "Rindfleischetikettierung",
        ] {
            assert!(read_as_words(text), "{text}");
        }
    }

    #[test]
    fn what_was_drawn_does_not() {
        for text in [
            "tcdvZPV_TImjGOBTrCETf",
            "FZpF_dgBWgKLaJLTfbQpv",
            "xVQIfmbQfGnohGMRbcYIq",
            "kqZdWvXuPhTgYcRnJbLfM",
            "VStGXRZjdHiBmyTwQpLk",
        ] {
            assert!(!read_as_words(text), "{text}");
        }
    }
}
