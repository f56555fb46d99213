"""What a reply says: where its final answer stands, what that means, whether it is right."""
