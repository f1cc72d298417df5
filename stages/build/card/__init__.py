"""What does an architecture weigh?"""
