"""What staff say of work: comments, and points that override those worked out."""
